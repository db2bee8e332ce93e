/**
 * The daemon as a systemd user service, which `charlotte daemon install` sets up. While it is installed for a home, the daemon of that
 * home is started and stopped by `systemctl --user`.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Clock, Context, Duration, Effect, Option, Schema } from "effect"
import { userInfo } from "node:os"
import * as LockOwner from "../../daemon/home/LockOwner.js"
import { Home } from "../../daemon/home/Home.js"
import { RealClock } from "../../internal/RealClock.js"
import { ParentEnvironment } from "../../process/ChildEnvironment.js"
import { runProgram } from "../../process/runProgram.js"
import { NotStarted } from "../daemon/spawnDaemon.js"
import * as UnitFile from "./UnitFile.js"

export interface Host {
  readonly platform: NodeJS.Platform
  readonly uid: number
  /** The name of the user. */
  readonly user: string
}

/** The machine and the user of this process. */
export class HostRef extends Context.Reference<HostRef>()("charlotte/ServiceHost", {
  defaultValue: (): Host => ({
    platform: process.platform,
    uid: process.geteuid?.() ?? 0,
    // A user id may have no name, as in a container.
    user: nameOf(process.geteuid?.() ?? 0)
  })
}) {}

const nameOf = (uid: number): string => {
  try {
    return userInfo().username
  } catch {
    return String(uid)
  }
}

/** systemctl has failed. */
export class ServiceFailed extends Schema.TaggedError<ServiceFailed>()("ServiceFailed", {
  command: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.command} has failed: ${this.problem}`
  }
}

export interface Installed {
  /** The path of the unit. */
  readonly file: string
  readonly unit: UnitFile.UnitFile
}

/** The path of the unit; none if the user has no home directory. */
export const file: Effect.Effect<Option.Option<string>> = Effect.map(
  ParentEnvironment,
  ({ HOME = "", XDG_CONFIG_HOME = "" }) => {
    const base = XDG_CONFIG_HOME.startsWith("/")
      ? XDG_CONFIG_HOME
      : HOME.startsWith("/")
        ? `${HOME}/.config`
        : undefined
    return base === undefined ? Option.none() : Option.some(`${base}/systemd/user/${UnitFile.unitName}`)
  }
)

/** The service of this user, for whichever home. */
export const ofUser: Effect.Effect<Option.Option<Installed>, never, FileSystem> = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { platform } = yield* HostRef
  const path = yield* file
  if (platform !== "linux" || Option.isNone(path)) return Option.none()
  const text = yield* Effect.option(fs.readFileString(path.value))
  return Option.map(Option.flatMap(text, UnitFile.read), (unit) => ({ file: path.value, unit }))
})

/** The service of this home. */
export const installed: Effect.Effect<Option.Option<Installed>, never, FileSystem | Home> = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { directory } = yield* Home
  // Commands that only read a home do not resolve symbolic links in its path.
  const home = yield* Effect.orElseSucceed(fs.realPath(directory), () => directory)
  return Option.filter(yield* ofUser, ({ unit }) => unit.home === home)
})

const limit = Duration.minutes(2)

/** Runs a program of systemd, and returns its output. */
export const run = (program: string, ...args: ReadonlyArray<string>): Effect.Effect<string, ServiceFailed> =>
  Effect.gen(function* () {
    const around = yield* ParentEnvironment
    const { uid } = yield* HostRef
    // A shell without a login, as under cron, does not know where the user's systemd listens.
    const named = { XDG_RUNTIME_DIR: `/run/user/${uid}`, ...around }
    const env = Object.fromEntries(
      Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    )
    const fail = (problem: string) => new ServiceFailed({ command: [program, ...args].join(" "), problem })
    const { code, stderr, stdout } = yield* runProgram({ file: program, args, cwd: "/", env, limit }).pipe(
      Effect.mapError(({ message }) => fail(message))
    )
    if (code !== 0) return yield* fail(stderr.trim() || `exit code ${code}`)
    return stdout.toString("utf8")
  })

export const systemctl = (...args: ReadonlyArray<string>) => run("systemctl", "--user", ...args)

/** Properties of the unit, by their names. */
export const show = (...names: ReadonlyArray<string>): Effect.Effect<Readonly<Record<string, string>>, ServiceFailed> =>
  Effect.map(systemctl("show", UnitFile.unitName, `--property=${names.join()}`), (text) =>
    Object.fromEntries(text.split("\n").map((line) => [line.split("=", 1)[0], line.slice(line.indexOf("=") + 1)]))
  )

/** In milliseconds of real time. */
const pause = 200

/** Starts the service, and returns once the daemon is ready. */
export const start: Effect.Effect<void, NotStarted, FileSystem | Home> = Effect.gen(function* () {
  const { sleep } = yield* RealClock
  const since = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  yield* systemctl("start", UnitFile.unitName)
  for (;;) {
    if (Option.exists(yield* LockOwner.find, ({ addresses }) => addresses !== undefined)) return
    const { ActiveState = "", ExecMainStatus, SubState } = yield* show("ActiveState", "SubState", "ExecMainStatus")
    const isRetried = SubState === "auto-restart"
    if (isRetried || !["activating", "active", "reloading"].includes(ActiveState))
      return yield* new NotStarted({
        code: Number(ExecMainStatus) || 1,
        text: `${yield* printedSince(since)}${isRetried ? retried : ""}`
      })
    yield* sleep(pause)
  }
}).pipe(Effect.catchTag("ServiceFailed", ({ message }) => new NotStarted({ code: 1, text: `charlotte: ${message}\n` })))

const retried = "charlotte: systemd tries again every 5 seconds; end that with: charlotte daemon stop\n"

const unknown = `charlotte: the daemon exited before it was ready; see: journalctl --user --unit ${UnitFile.unitName}\n`

/** What the daemon has printed since a time in seconds, as far as the journal has it. */
const printedSince = (since: number) =>
  run(
    "journalctl",
    "--user",
    "--quiet",
    "--no-pager",
    "--output=cat",
    "--lines=20",
    `--since=@${since}`,
    `_SYSTEMD_USER_UNIT=${UnitFile.unitName}`
  ).pipe(
    Effect.orElseSucceed(() => ""),
    Effect.map((text) => text || unknown)
  )

/** Stops the service of this home if it is installed, also while systemd is about to start it again. */
export const stop: Effect.Effect<void, ServiceFailed, FileSystem | Home> = Effect.flatMap(
  installed,
  Option.match({ onNone: () => Effect.void, onSome: () => Effect.asVoid(systemctl("stop", UnitFile.unitName)) })
)
