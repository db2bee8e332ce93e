/**
 * The home directory: configuration, database, logs, worktrees, lock.
 *
 * Write access to it means running commands as its owner, and read access means reading the output of agents. So the directory
 * is 0700, which protects its content, regardless of the mode of any file.
 *
 * So nothing here needs a umask. A program that sets one (077) does so first of all, and restores the former one for its
 * children: otherwise agents and git would create files in the user's own checkout that other users cannot read.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Config, Context, Effect, Layer, Option, Schema } from "effect"
import { accessSync, chmodSync, constants, readdirSync, realpathSync, statSync } from "node:fs"

export interface Service {
  /** Absolute, without symbolic links. */
  readonly directory: string
  readonly config: string
  /** The SQLite file. */
  readonly database: string
  /** Which database the last process used, if not that file. */
  readonly databaseNote: string
  /** When the records were exported, if they were. */
  readonly exportNote: string
  /** `<job>/…` below it. */
  readonly logs: string
  /** The log of the daemon. */
  readonly log: string
  /** `<job>/…` below it. */
  readonly worktrees: string
  /** Only `FileLock` may open it: closing it anywhere else in the process would release the lock. */
  readonly lock: string
  /** The note that identifies the owner of the lock. */
  readonly holder: string
  readonly socket: string
  readonly token: string
  /** The sessions of the page, and its port. */
  readonly sessions: string
}

export class Home extends Context.Tag("charlotte/Home")<Home, Service>() {}

/** The directory cannot be used as it is; nothing in it was touched. */
export class HomeUnusable extends Schema.TaggedError<HomeUnusable>()("HomeUnusable", {
  directory: Schema.String,
  /** The problem and what to do, as the end of a sentence about the directory. */
  reason: Schema.String
}) {
  override get message() {
    return `the home directory ${this.directory} ${this.reason}`
  }
}

/** A directory with any of these in it is a home, so its mode may be changed to 0700. */
const ours = ["charlotte.db", "config.yaml", "lock"]

/** The state of a home: nothing there yet, a directory that other users can access, or one that they cannot. */
export type State = "missing" | "open" | "closed"

const cannotBeUsed = (directory: string, problem: string) =>
  new HomeUnusable({ directory, reason: `cannot be used: ${problem}; choose another with CHARLOTTE_HOME` })

/** Synchronous, since every start waits for this. */
const ask = <A>(directory: string, question: () => A): Effect.Effect<A, HomeUnusable> =>
  Effect.try({
    try: question,
    catch: (cause) => cannotBeUsed(directory, cause instanceof Error ? cause.message : String(cause))
  })

const choose = "or choose another directory with CHARLOTTE_HOME"

/** The directory or its nearest existing parent. */
export const nearest = (path: Path, directory: string): string => {
  const parent = path.dirname(directory)
  return parent === directory || statSync(directory, { throwIfNoEntry: false }) !== undefined
    ? directory
    : nearest(path, parent)
}

/** Git and shells read paths below it from lines of text. */
const refuseControl = (directory: string) =>
  /\p{Cc}/u.test(directory)
    ? new HomeUnusable({ directory, reason: `has a control character in its path; rename it, ${choose}` })
    : Effect.void

/**
 * Whether a home can be used, and its state; nothing is changed. To read its records, a home may have any mode, and be on a read-only
 * disk.
 */
export const inspect = (directory: string, use: "read" | "write" = "write"): Effect.Effect<State, HomeUnusable, Path> =>
  Effect.gen(function* () {
    const path = yield* Path
    const fail = (reason: string) => Effect.fail(new HomeUnusable({ directory, reason }))
    const isWritable = (directory: string) =>
      Effect.isSuccess(ask(directory, () => accessSync(`${directory}/.`, constants.R_OK | constants.W_OK)))

    if (!path.isAbsolute(directory))
      return yield* fail("is not an absolute path; give the whole path, beginning with /")
    yield* refuseControl(directory)
    const found = yield* ask(directory, () => statSync(directory, { throwIfNoEntry: false }))
    if (found === undefined) {
      const parent = nearest(path, directory)
      if (yield* isWritable(parent)) return "missing"
      return yield* fail(`does not exist and cannot be created in ${parent}; create it, ${choose}`)
    }
    const { mode, uid } = found
    if (!found.isDirectory()) return yield* fail("is not a directory; move away what is there, or choose another one")
    const entries = yield* ask(directory, () => readdirSync(directory))
    const isOurs = ours.some((name) => entries.includes(name))
    const state = (mode & 0o077) === 0 ? "closed" : "open"
    if (use === "read" && isOurs) return state

    const self = process.geteuid?.()
    if (self !== undefined && uid !== self) {
      return yield* fail(
        `belongs to user ${uid}, and this program runs as user ${self}; run it as that user, ${choose}`
      )
    }
    // Another directory, such as a user's whole home or /tmp, may be open to others for a reason.
    if (state === "open" && entries.length > 0 && !isOurs) {
      return yield* fail(
        "is open to other users, and contains files that are not Charlotte's; choose an empty one with CHARLOTTE_HOME"
      )
    }
    if ((mode & 0o022) !== 0) {
      return yield* fail(
        "can be written by other users, who could have put commands into it; " +
          `look through it, then close it: chmod 700 ${directory}`
      )
    }
    if (!(yield* isWritable(directory))) return yield* fail(`cannot be written; make it writable, ${choose}`)
    return state
  })

const make = (directory: string): Effect.Effect<Service, HomeUnusable, FileSystem | Path> =>
  Effect.gen(function* () {
    const path = yield* Path
    const found = yield* inspect(directory)
    if (found === "missing") {
      yield* Effect.mapError(create(directory), ({ message }) => cannotBeUsed(directory, message))
    }
    // Another process may have created or replaced it meanwhile.
    const state = found === "missing" ? yield* inspect(directory) : found
    if (state === "open") yield* ask(directory, () => chmodSync(directory, 0o700))
    return paths(
      path,
      yield* Effect.tap(
        ask(directory, () => realpathSync(directory)),
        refuseControl
      )
    )
  })

/** Creates the parents one by one: `recursive` never returns if none can be created, as below /proc. */
const create = (directory: string): Effect.Effect<void, PlatformError, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const parent = path.dirname(directory)
    if (!(yield* fs.exists(parent))) yield* create(parent)
    yield* Effect.catchIf(fs.makeDirectory(directory, { mode: 0o700 }), isThere, () => Effect.void)
  })

/** Whether another process was faster. */
export const isThere = (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === "AlreadyExists"

const paths = (path: Path, directory: string): Service => ({
  directory,
  config: path.join(directory, "config.yaml"),
  database: path.join(directory, "charlotte.db"),
  databaseNote: path.join(directory, "database.json"),
  exportNote: path.join(directory, "exported.json"),
  logs: path.join(directory, "logs"),
  log: path.join(directory, "logs", "daemon.log"),
  worktrees: path.join(directory, "worktrees"),
  lock: path.join(directory, "lock"),
  holder: path.join(directory, "lock.json"),
  socket: path.join(directory, "socket"),
  token: path.join(directory, "token"),
  sessions: path.join(directory, "sessions.json")
})

/** The home at a path. */
export const layerAt = (directory: string): Layer.Layer<Home, HomeUnusable, FileSystem | Path> =>
  Layer.effect(Home, make(directory))

/** The path in `CHARLOTTE_HOME`, or else `.charlotte` in the user's home directory. */
const named = Effect.gen(function* () {
  const path = yield* Path
  const [own, user] = yield* Effect.orDie(
    Effect.all([Config.option(Config.nonEmptyString("CHARLOTTE_HOME")), Config.option(Config.nonEmptyString("HOME"))])
  )
  if (Option.isSome(own)) return own.value
  if (Option.isSome(user)) return path.join(user.value, ".charlotte")
  return yield* new HomeUnusable({
    directory: "~/.charlotte",
    reason: "cannot be found, since HOME is not set; set CHARLOTTE_HOME to an absolute path"
  })
})

/** The home that the environment names; created if it is missing. */
export const layer: Layer.Layer<Home, HomeUnusable, FileSystem | Path> = Layer.effect(Home, Effect.flatMap(named, make))

/** The same for reading, without creating it: it may be missing. */
export const layerUntouched: Layer.Layer<Home, HomeUnusable, Path> = Layer.effect(
  Home,
  Effect.gen(function* () {
    const directory = yield* named
    yield* inspect(directory, "read")
    return paths(yield* Path, directory)
  })
)
