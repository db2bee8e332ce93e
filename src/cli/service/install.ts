/**
 * `charlotte daemon install`: makes the daemon of this home a systemd user service.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Array, Effect, LogLevel, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as Home from "../../daemon/home/Home.js"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import { Problem } from "../../daemon/Problem.js"
import * as ServedPort from "../../daemon/serve/ServedPort.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"
import * as ensureRunning from "../daemon/ensureRunning.js"
import type { Options } from "../daemon/restart.js"
import * as settings from "../daemon/settings.js"
import { program } from "../daemon/spawnDaemon.js"
import * as Report from "../doctor/Report.js"
import * as service from "../doctor/service.js"
import { columns, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Service from "./Service.js"
import * as UnitFile from "./UnitFile.js"

export const install = (options: Options) =>
  Effect.gen(function* () {
    const file = yield* place
    yield* Effect.provide(write(file, options), Home.layer)
  })

/** The path of the unit. */
const place = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { platform, uid } = yield* Service.HostRef
  const fail = (problem: string) => new Problem({ name: "NoService", problem })
  if (platform !== "linux")
    return yield* fail(
      `a service is not built for ${platform}, only for systemd on Linux; here, let what starts your programs at login run: charlotte daemon start`
    )
  if (uid === 0)
    return yield* fail(
      "agents and gates would run as root: install the service as the user whose jobs it runs, or start a daemon of root without one: charlotte daemon start"
    )
  const file = yield* Service.file
  if (Option.isNone(file)) return yield* fail("HOME is not set; set it to the home directory of the user")
  if ((yield* fs.exists(file.value)) && Option.isNone(yield* Service.ofUser))
    return yield* fail(`${file.value} was not written by this command; move it away`)
  return file.value
})

const write = (file: string, { database, json, listen, ...given }: Options) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const home = (yield* Home.Home).directory
    const before = yield* Service.ofUser
    const other = Option.getOrElse(before, () => ({ unit: { home } })).unit.home
    if (other !== home) {
      const problem = `${file} is the service of ${other}; remove it first: CHARLOTTE_HOME='${other}' charlotte daemon uninstall`
      return yield* new Problem({ name: "NoService", problem })
    }
    const port = settings.ofPort(given)
    if (Option.isSome(listen)) yield* Effect.provide(ServedPort.check(listen.value, port), Configuration.layer)
    // Before anything is written: fails if the user has no systemd that listens.
    yield* Service.systemctl("show", "--property=Version")
    const words = ensureRunning.commandLine(
      { database, json: false, listen, node: settings.ofNode(given), port },
      LogLevel.None
    )
    const unit = { home, path: searchPath(yield* ParentEnvironment), command: Array.appendAll(program(), words) }
    yield* fs
      .writeFileString(UnitFile.environmentFile(home), environment, { flag: "wx", mode: 0o600 })
      .pipe(Effect.catchIf(Home.isThere, () => Effect.void))
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    yield* fs.writeFileString(file, UnitFile.render(unit))
    yield* Service.systemctl("daemon-reload")
    yield* Service.systemctl("enable", UnitFile.unitName)

    const findings = yield* service.check
    const isRunning = Option.isSome(yield* LockOwner.find)
    const next = `charlotte daemon ${isRunning ? "restart" : "start"}`
    if (json) return yield* writeJson({ service: { file, home }, findings, next })
    yield* writeLines([
      [
        StyledLine.raw("the daemon is a service now: ", "good"),
        StyledLine.piece(file, "name"),
        StyledLine.raw(Option.isSome(before) ? " was written again" : "")
      ],
      ...Report.linesOf(findings, yield* columns),
      [
        StyledLine.raw(isRunning ? "the daemon that is running becomes it with: " : "start it with: "),
        StyledLine.raw(next, "strong")
      ]
    ])
  })

/** Relative directories would be looked up in worktrees. */
const searchPath = ({ PATH = "" }: { readonly PATH?: string | undefined }): string =>
  PATH.split(":")
    .filter((directory) => directory.startsWith("/"))
    .join(":")

const environment = `# Variables for the daemon, one NAME=value per line, such as the keys of agents:
# ANTHROPIC_API_KEY=...
# They are read when the service starts: charlotte daemon restart
`
