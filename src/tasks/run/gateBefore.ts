/**
 * Runs the gate of a task once before any work: a gate that passes then may prove nothing. What the run changes is put back, and its
 * result is a note, or fails a task that says what its gate has to say before the work; it is never a verdict on the work.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Duration, Effect, Option, Schema } from "effect"
import type { GateNote } from "../../domain/Work.js"
import { Git } from "../../git/Git.js"
import type { KeptFiles } from "../../git/KeptFiles.js"
import { ObjectId } from "../../git/RefNames.js"
import { $match } from "../../process/ProcessOutcome.js"
import type { Log } from "../events.js"
import type { Task, Unit } from "../plan/Plan.js"
import * as commitTask from "./commitTask.js"
import { ofTask } from "./emitTaskEvent.js"
import * as judge from "./judge.js"
import * as Note from "./Note.js"
import { disk, ofRepository, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"
import * as UnitWorktree from "./UnitWorktree.js"

/** The files as they were before the run, in a file beside the worktree until it is removed. */
const Begun = Schema.parseJson(
  Schema.Struct({
    job: Schema.String,
    task: Schema.Int,
    commit: ObjectId,
    tree: ObjectId,
    ignored: Schema.Array(Schema.String),
    /** Whether the run has ended, and the files are back. */
    isOver: Schema.Boolean
  })
)
type Begun = typeof Begun.Type

const fileOf = ({ gitDir }: UnitWorktree.UnitWorktree): string => `${gitDir}/charlotte-gate-before`

const read = (worktree: UnitWorktree.UnitWorktree) =>
  Effect.flatMap(FileSystem, (fs) => fs.readFileString(fileOf(worktree))).pipe(
    Effect.flatMap(Schema.decode(Begun)),
    Effect.option
  )

const write = (worktree: UnitWorktree.UnitWorktree, begun: Begun) =>
  Effect.flatMap(Schema.encode(Begun)(begun), (text) =>
    Effect.flatMap(FileSystem, (fs) => fs.writeFileString(fileOf(worktree), text))
  )

const defaultLimit = Duration.minutes(2)

type Answer = "green" | "red" | Exclude<GateNote, { readonly _tag: "greenBefore" }>

const answerOf = (result: runCommand.CommandResult): Answer => {
  const reason = runCommand.reasonWithOutput(result)
  const unknown = (): Answer => ({ _tag: "unknownBefore", reason })
  const couldNotRun: Answer = { _tag: "couldNotRunBefore", reason }
  return $match(result.outcome, {
    Exited: ({ code }): Answer => (code === 0 ? "green" : code === 126 || code === 127 ? couldNotRun : "red"),
    CouldNotStart: () => couldNotRun,
    Signalled: unknown,
    TimedOut: unknown,
    SilentTooLong: unknown
  })
}

/** Where a task begins. */
export interface Before {
  readonly worktree: UnitWorktree.UnitWorktree
  /** The ignored files before the run. */
  readonly ignored: ReadonlyArray<string>
  /** Why the task is not worked on. */
  readonly refused?: { readonly reason: string; readonly log: typeof Log.Encoded } | undefined
}

/** What a task requires of its gate, and what to do if it is not so. */
const refusal = ({ before, file }: Task, answer: Answer, result: runCommand.CommandResult): string | undefined => {
  const remove = `remove before: ${before} from ${file}`
  if (before === "red" && answer === "green")
    return `its gate passed before any work, so it would prove nothing: let it fail without the work, or ${remove}`
  if (before === "green" && answer === "red")
    return `its gate has to pass before any work, and ${runCommand.reasonWithOutput(result)}: let it pass first, or ${remove}`
  return undefined
}

const noteOf = ({ before }: Task, answer: Answer): GateNote | undefined => {
  if (typeof answer !== "string") return answer
  return answer === "green" && before !== "green" ? { _tag: "greenBefore" } : undefined
}

/**
 * Whether no turn at the task has begun, in this job or in the one that it retries. A script needs no check of its gate, and the gate of a
 * rejected unit has passed.
 */
const isUntouched = ({ progress, snapshot }: RunContext, unit: Unit, task: Task, position: commitTask.TaskPosition) => {
  const { session, startedAt } = progress.task(unit.id, task.number)
  const isRestored = position.worktree.restored?.base === position.tip
  const isScript = snapshot.agentsOf(task).every(({ agent }) => agent === "script")
  return startedAt === undefined && session === undefined && !isRestored && !isScript && !task.isRejection
}

export const run = (ctx: RunContext, unit: Unit, task: Task, position: commitTask.TaskPosition) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { job, repository, snapshot } = ctx
    const { tip } = position
    const about = { unit: unit.id, task: task.number }
    const waiting = (problem: string) => Note.add(ctx, about, `${problem}: the task begins once it can be written`)
    let { worktree } = position
    const putBack = (kept: Pick<KeptFiles, "commit" | "tree" | "ignored">) =>
      git.putFilesBack(repository, worktree, kept).pipe(
        retryWhileUnwritable(ofRepository(git, repository), waiting),
        Effect.as(worktree),
        // The gate has left the branch, or made what git cannot read.
        Effect.catchTags({
          BranchMissing: again,
          GitFailed: again,
          HeadMoved: again,
          NestedRepository: again,
          OperationInProgress: again,
          WorktreeBroken: again
        })
      )
    const again = () => UnitWorktree.create(ctx, { unit: unit.id, branch: worktree.branch, at: tip })
    const note = (begun: Begun) =>
      write(worktree, begun).pipe(
        retryWhileUnwritable(disk, waiting),
        Effect.catchTags({
          BadArgument: ({ message }) => Effect.logWarning(message),
          ParseError: ({ message }) => Effect.logWarning(message),
          SystemError: ({ message }) => Effect.logWarning(message)
        })
      )

    const last = Option.filter(yield* read(worktree), ({ commit }) => commit === tip)
    if (Option.isSome(last) && !last.value.isOver) worktree = yield* putBack(last.value)
    const isDone = Option.exists(last, (run) => run.isOver && run.job === job.id && run.task === task.number)
    const kept =
      isDone || !isUntouched(ctx, unit, task, position)
        ? Option.none()
        : yield* Effect.option(git.keepFiles(repository, worktree, tip))
    const isContinued = snapshot.taken.worktrees[unit.id] !== undefined && snapshot.taken.begun[unit.id] === tip
    if (Option.isNone(kept) || (isContinued && kept.value.isChanged)) {
      const known = isDone ? Option.map(last, ({ ignored }) => ignored) : Option.none()
      const ignored = position.ignored ?? Option.getOrUndefined(known)
      const before: Before = { worktree, ignored: ignored ?? (yield* commitTask.ignoredFiles(ctx, { worktree, tip })) }
      return before
    }

    const { ignored, tree } = kept.value
    const begun: Begun = { job: job.id, task: task.number, commit: tip, tree, ignored, isOver: false }
    yield* note(begun)
    const command = task.backpressure
    const log = `${worktree.logs}/${String(task.number).padStart(2, "0")}-attempt-${job.attempt}.0.gate.log`
    yield* ofTask(ctx, unit, task)("task.gate.before", { command, log })
    const result = yield* runCommand.line(ctx, worktree, {
      line: command,
      task,
      span: "gate",
      purpose: `gate of task ${task.number} of unit ${unit.id}, before any work`,
      log,
      atMost: { limit: snapshot.plan.settings.gates.before ?? defaultLimit, by: "gates.before in charlotte.yaml" }
    })
    yield* Note.addMoved(ctx, about, "gate before any work", result)
    worktree = yield* putBack(kept.value)
    const answer = answerOf(result)
    const found = noteOf(task, answer)
    const reason = refusal(task, answer, result)
    if (found !== undefined && reason === undefined) yield* Note.add(ctx, about, found)
    if (answer === "red" && !kept.value.isChanged) yield* judge.remember(ctx, about, { files: tip, log })
    yield* note({ ...begun, isOver: true })
    const before: Before = {
      worktree,
      ignored,
      refused: reason === undefined ? undefined : { reason, log: result.log }
    }
    return before
  })
