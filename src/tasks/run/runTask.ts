/**
 * Working on one task: the agent, then the gate, until the gate passes or the attempts are used up; then one commit.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { DateTime, Duration, Effect, Fiber, Option, Schema } from "effect"
import type { TaskRecord } from "../../domain/Work.js"
import * as Invocation from "../agents/Invocation.js"
import * as plainText from "../../internal/plainText.js"
import * as Prompt from "../agents/Prompt.js"
import { Git } from "../../git/Git.js"
import { type ObjectId, RepoPath } from "../../git/RefNames.js"
import type { Task, Unit } from "../plan/Plan.js"
import * as TaskFile from "../plan/TaskFile.js"
import type { Log, Payload, Type } from "../TaskEvents.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as Note from "./Note.js"
import * as runCommand from "./runCommand.js"
import { TaskFailure } from "./errors.js"
import * as UnitWorktree from "./UnitWorktree.js"

/** An agent that fails may be short of something that comes back, so the pause before it is called again grows. */
const agentPause = Duration.seconds(1)

const growing = (attempt: number) => Duration.times(agentPause, 2 ** (attempt - 1))

/** Why an attempt did not pass. */
interface Shortfall {
  readonly reason: string
  readonly log?: typeof Log.Encoded
  /** The end of what was printed. */
  readonly tail?: string
  /** How long to wait before the next one. */
  readonly pause: Duration.Duration
}

const shortfall = (fields: Shortfall): Shortfall => fields

/** Where it is done: the unit's workplace, and the commit from which it goes on. */
export interface TaskPosition {
  readonly place: UnitWorktree.UnitWorktree
  readonly tip: ObjectId
}

/** Gives the spot from which the next task goes on. */
export const run = (job: RunContext, unit: Unit, task: Task, spot: TaskPosition) =>
  Effect.gen(function* () {
    const { progress, submission } = job
    const tell = teller(job, unit, task)
    const change = (change: Parameters<typeof progress.changeTask>[2]) =>
      progress.changeTask(unit.id, task.number, change)
    const record = () => progress.task(unit.id, task.number)

    // An attempt of the job was cut off between this and the end of the unit.
    if (record().state === "failed") return yield* failure(unit, task, record())
    let { place } = spot
    let previous = yield* before(job, record())
    for (;;) {
      const attempt = record().failures + 1
      const outcome = yield* tryOnce(job, unit, task, { place, tip: spot.tip }, { attempt, previous })
      if ("commit" in outcome) {
        const { commit } = outcome
        yield* change({ state: "completed", commit, endedAt: yield* DateTime.now, reason: undefined, log: undefined })
        yield* tell("task.committed", { commit })
        yield* tell("task.completed", { attempt, commit })
        return { place, tip: commit }
      }

      const { log, pause, reason, tail = "" } = outcome
      const failed = { failures: attempt, reason, log: log?.file, commit: undefined }
      if (attempt >= submission.plan.settings.attempts) {
        yield* change({ ...failed, state: "failed", endedAt: yield* DateTime.now })
        yield* tell("task.failed", { attempts: attempt, reason, log })
        return yield* failure(unit, task, record())
      }
      yield* change(failed)
      yield* tell("task.retry", { attempt, reason, pause: Duration.toMillis(pause), log })
      yield* Effect.sleep(pause)
      previous = Option.some({ reason, tail: job.hide(tail) })
      const fault = yield* UnitWorktree.fault(job, place, spot.tip)
      if (Option.isSome(fault)) {
        yield* Note.add(job, { unit: unit.id, task: task.number }, `attempt ${attempt} was undone: ${fault.value}`)
        place = yield* UnitWorktree.open(job, { unit: unit.id, branch: place.worktree.branch, at: spot.tip })
      }
    }
  })

/** The try that an earlier attempt of the job was at, or at which it failed, with the end of its log. */
const before = ({ hide }: RunContext, { log, reason }: TaskRecord) =>
  Effect.gen(function* () {
    if (reason === undefined) return Option.none<Prompt.Previous>()
    const tail = log === undefined ? "" : yield* Effect.orElseSucceed(endOf(log), () => "")
    return Option.some<Prompt.Previous>({ reason, tail: hide(tail) })
  })

const endOf = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = yield* fs.open(path)
    const { size } = yield* file.stat
    yield* file.seek(size > tailSize ? size - tailSize : 0n, "start")
    const bytes = yield* file.readAlloc(tailSize)
    return Option.match(bytes, { onNone: () => "", onSome: (bytes) => new TextDecoder().decode(bytes) })
  }).pipe(Effect.scoped)

/** More than a prompt shows of it. */
const tailSize = 64n * 1024n

const failure = (unit: Unit, task: Task, { failures, log, reason = "" }: TaskRecord) =>
  new TaskFailure({ unit: unit.id, task: task.number, title: task.title, attempts: failures, reason, log })

const teller =
  ({ tell }: RunContext, { id }: Unit, { number }: Task) =>
  <T extends Type>(type: T, payload: Payload<T>) =>
    tell(type, payload, { unit: id, task: number })

const noteMoved = (job: RunContext, unit: Unit, task: Task, who: string, { moved }: runCommand.CommandResult) =>
  Effect.forEach(
    moved,
    ({ advice, what }) => Note.add(job, { unit: unit.id, task: task.number }, `the ${who} ${what}: ${advice}`),
    { discard: true }
  )

const tryOnce = (
  job: RunContext,
  unit: Unit,
  task: Task,
  spot: TaskPosition,
  { attempt, previous }: { readonly attempt: number; readonly previous: Option.Option<Prompt.Previous> }
) =>
  Effect.gen(function* () {
    const { context, progress, submission } = job
    const { place } = spot
    const tell = teller(job, unit, task)
    const about = `of task ${task.number} of unit ${unit.id}`
    const name = `${place.logs}/${String(task.number).padStart(2, "0")}-attempt-${context.attempt}.${attempt}`

    const { calls, startedAt = yield* DateTime.now } = progress.task(unit.id, task.number)
    const begin = (calls: number) => progress.changeTask(unit.id, task.number, { state: "running", startedAt, calls })
    // Where a limit is reached, it is reached by this task.
    yield* Effect.tapError(limits.agentCall(job), () => begin(calls))
    // In this order both are one transaction.
    yield* tell("task.started", { attempt, title: task.title })
    yield* begin(calls + 1)
    // Meanwhile: it is asked for only when the gate has passed.
    const file = yield* Effect.fork(readFile(job, task, spot.tip))
    const invocation = yield* Invocation.make(job.agent, {
      prompt: Prompt.make({ text: task.prompt, file: task.file, gate: task.backpressure }, previous),
      scripts: task.scripts,
      file: name
    })
    const agentLog = `${name}.agent.log`
    yield* tell("task.agent.started", { agent: submission.agent, log: agentLog })
    const agent = yield* runCommand.run(job, place, { ...invocation, purpose: `agent ${about}`, log: agentLog })
    yield* tell("task.agent.ended", { reason: agent.reason, log: agent.log })
    yield* noteMoved(job, unit, task, `agent of attempt ${attempt}`, agent)
    if (agent.reason !== undefined) {
      return shortfall({
        reason: `the agent ${agent.reason}`,
        log: agent.log,
        tail: agent.tail,
        pause: growing(attempt)
      })
    }

    const command = task.backpressure
    const gateLog = `${name}.gate.log`
    yield* tell("task.gate.started", { command, log: gateLog })
    const gate = yield* runCommand.line(job, place, { line: command, purpose: `gate ${about}`, log: gateLog })
    yield* noteMoved(job, unit, task, `gate of attempt ${attempt}`, gate)
    if (gate.reason !== undefined) {
      yield* tell("task.gate.failed", { command, reason: gate.reason, log: gate.log })
      const pause = Duration.zero
      return shortfall({ reason: `the gate ${gate.reason}`, log: gate.log, tail: gate.tail, pause })
    }
    yield* tell("task.gate.passed", { command, log: gate.log })
    const accepted = accept(job, unit, task, spot, yield* Fiber.join(file))
    return yield* Effect.map(accepted, (commit) => ({ commit })).pipe(
      Effect.catchTags({
        FilesUnreadable: uncommitted(attempt),
        GitFailed: uncommitted(attempt),
        Locked: uncommitted(attempt)
      })
    )
  }).pipe(
    // A branch that was switched, or a worktree that was broken, is the doing of this attempt.
    Effect.catchTags({
      BranchMissing: unfit,
      BranchMoved: unfit,
      ContentFiltered: unfit,
      HeadMoved: unfit,
      NestedRepository: unfit,
      OperationInProgress: unfit,
      WorktreeBroken: unfit
    })
  )

/** A name of a file that the agent has chosen may be part of what git says. */
const unfit = ({ message }: { readonly message: string }) =>
  Effect.succeed(shortfall({ reason: plainText.line(message), pause: Duration.zero }))

/** The next attempt is told what git said: it may be a file, and it may be a disk that has room again by then. */
const uncommitted =
  (attempt: number) =>
  ({ detail, message }: { readonly message: string; readonly detail?: string }) =>
    Effect.succeed(
      shortfall({
        reason: `the work could not be committed: ${plainText.line(message)}`,
        tail: detail ?? "",
        pause: growing(attempt)
      })
    )

interface File {
  readonly path: RepoPath
  /** None where there is no such file any more. */
  readonly text: Option.Option<string>
}

/** The file of the task, as a commit has it. */
const readFile = ({ repository }: RunContext, task: Task, commit: ObjectId) =>
  Effect.gen(function* () {
    const git = yield* Git
    const path = yield* Schema.decode(RepoPath)(task.file)
    const content = yield* git.readFile(repository, commit, path)
    const file: File = { path, text: Option.map(content, (content) => Buffer.from(content).toString("utf8")) }
    return file
  })

/** Commits all that was done for the task, with its file marked as complete, and the files of the plan as they were. */
const accept = (job: RunContext, unit: Unit, task: Task, { place, tip }: TaskPosition, { path, text }: File) =>
  Effect.gen(function* () {
    const git = yield* Git
    const { context, keep, progress, repository } = job
    const marked = Option.flatMap(text, (text) => TaskFile.withStatus(text, "complete"))
    const {
      commit,
      isEmpty = false,
      replaced
    } = yield* git.commit(repository, place.worktree, {
      title: task.title,
      body: `Task ${task.number} of unit ${unit.id}.`,
      jobId: context.id,
      unit: unit.id,
      task: task.number,
      since: tip,
      keep,
      put: Option.match(marked, {
        onNone: () => [],
        onSome: (content) => [{ path, content, was: Option.getOrElse(text, () => content) }]
      }),
      before: (commit) => Effect.orDie(progress.changeTask(unit.id, task.number, { commit }))
    })
    if (isEmpty) {
      const text = "the gate passed though no file was changed: it may pass before the task is begun"
      yield* Note.add(job, { unit: unit.id, task: task.number }, text)
    }
    if (replaced.length > 0) {
      const text = `the agent had changed ${some(replaced)}: files of the plan are put back as they were`
      yield* Note.add(job, { unit: unit.id, task: task.number }, text)
    }
    return commit
  })

const some = (files: ReadonlyArray<string>): string =>
  files.length <= 3 ? files.join(", ") : `${files.slice(0, 3).join(", ")} and ${files.length - 3} more`
