/**
 * Checks the daemon as a systemd user service, if it is one: the unit, lingering, and the programs and variables as the unit sees them.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Either, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"
import * as Agents from "../../tasks/Agents.js"
import { unsupported } from "../Platform.js"
import * as Service from "../service/Service.js"
import * as UnitFile from "../service/UnitFile.js"
import * as Finding from "./Finding.js"

export const check = Effect.gen(function* () {
  const service = yield* Service.installed
  if (Option.isNone(service)) return []
  const { unit } = service.value
  return [
    yield* state(service.value),
    yield* lingering,
    yield* program(unit),
    ...(yield* agents(unit)),
    yield* variables(unit)
  ]
})

const again = "charlotte daemon install"

const state = ({ file }: Service.Installed) =>
  Effect.match(Service.show("ActiveState", "UnitFileState", "NeedDaemonReload"), {
    onFailure: ({ message }) =>
      Finding.problem("service", message, "log in as the user of the service, or enable lingering and try again"),
    onSuccess: ({ ActiveState, NeedDaemonReload, UnitFileState }) => {
      if (NeedDaemonReload === "yes")
        return Finding.warning("service", `${file} has changed since it was read`, "systemctl --user daemon-reload")
      return UnitFileState === "enabled"
        ? Finding.ok("service", `${file}; ${ActiveState}`)
        : Finding.warning(
            "service",
            `${file} is not enabled, so it does not start by itself`,
            `systemctl --user enable ${UnitFile.unitName}`
          )
    }
  })

/** Without it, the user's systemd runs only while the user is logged in. */
const lingering = Effect.gen(function* () {
  const { user } = yield* Service.HostRef
  // It fails for a user that is neither logged in nor lingering.
  const isOn = yield* Effect.match(Service.run("loginctl", "show-user", user, "--property=Linger"), {
    onFailure: () => false,
    onSuccess: (text) => text.trim() === "Linger=yes"
  })
  return isOn
    ? Finding.ok("lingering", `is on for ${user}: the service runs without a login, and starts with the machine`)
    : Finding.warning(
        "lingering",
        `is off for ${user}: the service ends with the last session, and starts with the next`,
        "loginctl enable-linger"
      )
})

/** Node.js and Charlotte, which an update may have moved. */
const program = ({ command }: UnitFile.UnitFile) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const [node] = command
    const check = "service node"
    const script = command[command.indexOf("daemon") - 1] ?? ""
    if (!(yield* Effect.orElseSucceed(fs.exists(script), () => false)))
      return Finding.problem(check, `there is no ${script}, which the service starts`, again)
    const version =
      node === process.execPath
        ? Option.some(process.version)
        : yield* Effect.option(Effect.map(Service.run(node, "--version"), (text) => text.trim()))
    if (Option.isNone(version)) return Finding.problem(check, `${node}, which the service starts, does not run`, again)
    const reason = unsupported({ node: version.value.replace(/^v/, ""), platform: process.platform })
    return reason === undefined
      ? Finding.ok(check, `${node}, ${version.value}`)
      : Finding.problem(check, `${node} is too old for the service: ${reason}`, again)
  })

/** The agents that are found here, but not on the PATH of the service. Any problem of the configuration has its own check. */
const agents = ({ path }: UnitFile.UnitFile) =>
  Effect.gen(function* () {
    const read = yield* Effect.either(Configuration.make)
    if (Either.isLeft(read)) return []
    const found = Effect.flatMap(Agents.make(read.right.agents), ({ found }) => found)
    const here = yield* found
    const there = yield* Effect.provideService(found, ParentEnvironment, { ...(yield* ParentEnvironment), PATH: path })
    const missing = here.filter((name) => !there.includes(name))
    return [
      Finding.ok("service agents", there.join(", ")),
      ...missing.map((name) =>
        Finding.warning(
          "service agents",
          `${name} is on the PATH of this shell, but not on the PATH of the service`,
          again
        )
      )
    ]
  })

const variables = ({ home }: UnitFile.UnitFile) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = UnitFile.environmentFile(home)
    const stats = yield* Effect.option(fs.stat(file))
    if (Option.isNone(stats)) return Finding.ok("service env", `no ${file}`)
    return (stats.value.mode & 0o077) === 0
      ? Finding.ok("service env", file)
      : Finding.warning("service env", `${file} can be read by other users`, `chmod 600 ${file}`)
  })
