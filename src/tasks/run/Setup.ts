/**
 * Sets a worktree up for the commands that run there: when it is made, and again where other work is merged into it.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Duration, Effect, Schema } from "effect"
import { posix } from "node:path"
import { Git } from "../../git/Git.js"
import { type ObjectId, RepoPath, type UnitName } from "../../git/RefNames.js"
import type { Worktree } from "../../git/Worktrees.js"
import * as copyUntracked from "./copyUntracked.js"
import { CommandFailed } from "./errors.js"
import * as retryWhileUnwritable from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"

interface Place extends Worktree {
  readonly unit: UnitName | undefined
  readonly logs: string
}

/** Runs copy and setup, unless the same have passed there. */
export const first = (ctx: RunContext, place: Place, at: ObjectId, name = "setup") =>
  Effect.gen(function* () {
    const { copy, setup } = ctx.snapshot.plan.settings
    if (setup === undefined && copy.length === 0) return
    const settings = JSON.stringify({ copy, setup })
    if ((yield* last(place)).settings === settings) return
    yield* Effect.retry(copyUntracked.into(ctx, place, at), { while: () => untilRoom(ctx, place) })
    yield* run(ctx, place, name)
    yield* note(place, { settings, inputs: yield* inputsAt(ctx, at) })
  })

/** Runs the setup again after a merge; if it names its inputs, only if one of them differs from when it last ran there. */
export const again = (ctx: RunContext, place: Place, at: ObjectId) =>
  Effect.gen(function* () {
    if (ctx.snapshot.plan.settings.setup === undefined) return
    const before = yield* last(place)
    const inputs = yield* inputsAt(ctx, at)
    if (inputs !== "" && inputs === before.inputs) return
    yield* run(ctx, place, "merged-setup")
    yield* note(place, { ...before, inputs })
  })

/** What the last setup that passed there ran with. */
interface Passed {
  readonly settings: string
  /** Empty if the setup names none. */
  readonly inputs: string
}

/** Removed with the worktree, and out of the way of its processes. */
const fileOf = ({ gitDir }: Worktree): string => `${gitDir}/charlotte-setup`

const last = (place: Worktree) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const text = yield* Effect.orElseSucceed(fs.readFileString(fileOf(place)), () => "")
    const [settings = "", inputs = ""] = text.split("\n")
    const passed: Passed = { settings, inputs }
    return passed
  })

const note = (place: Worktree, { inputs, settings }: Passed) =>
  Effect.flatMap(FileSystem, (fs) => fs.writeFileString(fileOf(place), `${settings}\n${inputs}`)).pipe(
    Effect.catchAll(({ message }) => Effect.logWarning(`setup may run again in ${place.path}: ${message}`))
  )

/** The inputs of the setup at a commit, as one line. */
const inputsAt = ({ repository, snapshot }: RunContext, at: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { setup } = snapshot.plan.settings
    if (setup === undefined || typeof setup === "string" || setup.inputs === undefined) return ""
    const paths = yield* Schema.decode(Schema.Array(RepoPath))(setup.inputs.map((path) => posix.join(path, ".")))
    return JSON.stringify(yield* git.entriesAt(repository, at, paths))
  })

/** A failure may be temporary, such as a lost network connection. */
const attempts = 3
const pause = Duration.seconds(1)

/** Waits while the disk of the worktree is full: a failure shows nothing else then. */
const untilRoom = ({ emit }: RunContext, { path }: Place) =>
  retryWhileUnwritable.untilRoom(path, (reason) => emit("orch.waiting", { reason }))

const run = (ctx: RunContext, place: Place, name: string) =>
  Effect.gen(function* () {
    const { setup } = ctx.snapshot.plan.settings
    if (setup === undefined) return
    const command = typeof setup === "string" ? setup : setup.run
    const position = place.unit === undefined ? {} : { unit: place.unit }
    for (let attempt = 1; ;) {
      yield* ctx.emit("unit.setup.started", { command, attempt }, position)
      const log = `${place.logs}/${name}-${ctx.job.attempt}.${attempt}.log`
      const result = yield* runCommand.line(ctx, place, { line: command, span: "setup", purpose: "setup", log })
      if (result.reason === undefined) return
      yield* ctx.emit("unit.setup.failed", { command, attempt, reason: result.reason, log: result.log }, position)
      if (yield* untilRoom(ctx, place)) continue
      if (attempt === attempts)
        return yield* new CommandFailed({
          purpose: "setup",
          command,
          reason: runCommand.reasonWithOutput(result),
          log
        })
      yield* Effect.sleep(Duration.times(pause, 2 ** (attempt - 1)))
      attempt += 1
    }
  })
