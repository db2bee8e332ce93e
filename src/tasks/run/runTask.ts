/**
 * Runs one task: the agent, then the gate, until the gate passes or no attempts are left; then commits the work.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Duration, Effect, Fiber, Option } from "effect"
import { now } from "../../internal/now.js"
import * as Tracing from "../../internal/Tracing.js"
import type { ObjectId } from "../../git/RefNames.js"
import type { TaskRecord } from "../../domain/Work.js"
import * as Agent from "../agents/Agent.js"
import * as Invocation from "../agents/Invocation.js"
import * as plainText from "../../internal/plainText.js"
import * as Prompt from "../agents/Prompt.js"
import * as TurnEnd from "../agents/TurnEnd.js"
import type { Task, Unit } from "../plan/Plan.js"
import type { Log, Payload, Type } from "../TaskEvents.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as commitTask from "./commitTask.js"
import * as Note from "./Note.js"
import * as Outage from "./Outage.js"
import * as runCommand from "./runCommand.js"
import { TaskFailure } from "./errors.js"
import * as UnitWorktree from "./UnitWorktree.js"

/** An agent may fail for a temporary reason, such as a rate limit, so retries back off exponentially. */
const initialPause = Duration.seconds(1)

const backoff = (attempt: number) => Duration.times(initialPause, 2 ** (attempt - 1))

/** Why an attempt failed. */
interface FailedAttempt {
  readonly reason: string
  readonly log?: typeof Log.Encoded
  /** The end of the output. */
  readonly tail?: string
  /** The pause before the next attempt. */
  readonly pause: Duration.Duration
  /** The service of the agent was not reached, so that the attempt may go on. */
  readonly isUnreachable?: boolean
}

const failedAttempt = (fields: FailedAttempt): FailedAttempt => fields

const reasonOf = (outcome: FailedAttempt | { readonly commit: ObjectId }): string | undefined =>
  "commit" in outcome ? undefined : outcome.reason

/** Returns the position at which the next task starts. */
export const run = (ctx: RunContext, unit: Unit, task: Task, position: commitTask.TaskPosition) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    const emit = taskEmitter(ctx, unit, task)
    const change = (change: Parameters<typeof progress.changeTask>[2]) =>
      progress.changeTask(unit.id, task.number, change)
    const record = () => progress.task(unit.id, task.number)

    // The previous attempt of the job was interrupted after the task had failed, but before its unit was recorded as failed.
    if (record().state === "failed") return yield* failure(unit, task, record())
    let { worktree } = position
    let previous = yield* previousAttempt(ctx, record())
    const ignored = new Set(yield* commitTask.ignoredFiles(ctx, worktree))
    const outage = Outage.make()
    for (;;) {
      const attempt = record().failures + 1
      const outcome = yield* tryOnce(
        ctx,
        unit,
        task,
        { worktree, tip: position.tip },
        { attempt, previous, ignored }
      ).pipe(Tracing.tracedResult(Tracing.attempt, reasonOf, { attributes: { attempt } }))
      if ("commit" in outcome) {
        const { commit } = outcome
        yield* change({ state: "completed", commit, endedAt: yield* now, reason: undefined, log: undefined })
        yield* emit("task.committed", { commit })
        yield* emit("task.completed", { attempt, commit })
        return { worktree, tip: commit }
      }

      const { isUnreachable = false, log, pause, reason, tail = "" } = outcome
      const outagePause = yield* outage.pause(isUnreachable)
      if (Option.isSome(outagePause)) {
        yield* emit("task.retry", {
          class: "network",
          attempt,
          reason,
          pause: Duration.toMillis(outagePause.value),
          log
        })
        yield* Effect.sleep(outagePause.value)
        continue
      }
      const failed = { failures: attempt, reason, log: log?.file, commit: undefined }
      if (attempt >= snapshot.plan.settings.attempts) {
        yield* change({ ...failed, state: "failed", endedAt: yield* now })
        yield* emit("task.failed", { attempts: attempt, reason, log })
        return yield* failure(unit, task, record())
      }
      yield* change(failed)
      yield* emit("task.retry", { attempt, reason, pause: Duration.toMillis(pause), log })
      yield* Effect.sleep(pause)
      previous = Option.some({ reason: ctx.hide(reason), tail: ctx.hide(tail) })
      const fault = yield* UnitWorktree.fault(ctx, worktree, position.tip)
      if (Option.isSome(fault)) {
        yield* Note.add(ctx, { unit: unit.id, task: task.number }, `attempt ${attempt} was discarded: ${fault.value}`)
        worktree = yield* UnitWorktree.open(ctx, { unit: unit.id, branch: worktree.branch, at: position.tip })
      }
    }
  })

/** The recorded failure of the previous attempt at the task, with the end of its log. */
const previousAttempt = ({ hide }: RunContext, { log, reason }: TaskRecord) =>
  Effect.gen(function* () {
    if (reason === undefined) return Option.none<Prompt.Previous>()
    const tail = log === undefined ? "" : yield* Effect.orElseSucceed(readTail(log), () => "")
    return Option.some<Prompt.Previous>({ reason: hide(reason), tail: hide(tail) })
  })

const readTail = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = yield* fs.open(path)
    const { size } = yield* file.stat
    yield* file.seek(size > tailSize ? size - tailSize : 0n, "start")
    const bytes = yield* file.readAlloc(tailSize)
    return Option.match(bytes, { onNone: () => "", onSome: (bytes) => new TextDecoder().decode(bytes) })
  }).pipe(Effect.scoped)

/** More than a prompt includes. */
const tailSize = 64n * 1024n

const failure = (unit: Unit, task: Task, { failures, log, reason = "" }: TaskRecord) =>
  new TaskFailure({ unit: unit.id, task: task.number, title: task.title, attempts: failures, reason, log })

/** The `sh` blocks of a task report nothing: all that they print is the task's. */
const formatOf = ({ agent }: RunContext) => (Agent.$is("Command")(agent) ? agent.profile.format : undefined)

const taskEmitter =
  ({ emit }: RunContext, { id }: Unit, { number }: Task) =>
  <T extends Type>(type: T, payload: Payload<T>) =>
    emit(type, payload, { unit: id, task: number })

const noteMoved = (ctx: RunContext, unit: Unit, task: Task, who: string, { moved }: runCommand.CommandResult) =>
  Effect.forEach(
    moved,
    ({ advice, what }) => Note.add(ctx, { unit: unit.id, task: task.number }, `the ${who} ${what}: ${advice}`),
    { discard: true }
  )

/** A turn of the agent. */
const runAgent = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  worktree: UnitWorktree.UnitWorktree,
  {
    attempt,
    name,
    previous
  }: {
    readonly attempt: number
    /** Of its files, without their endings. */
    readonly name: string
    readonly previous: Option.Option<Prompt.Previous>
  }
) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    const emit = taskEmitter(ctx, unit, task)
    const { calls, startedAt = yield* now } = progress.task(unit.id, task.number)
    const markRunning = (calls: number) =>
      progress.changeTask(unit.id, task.number, { state: "running", startedAt, calls })
    // Record the task as running first, so that reaching the limit fails this task.
    yield* Effect.tapError(limits.agentCall(ctx), () => markRunning(calls))
    // In this order, both writes are batched in one transaction.
    yield* emit("task.started", { attempt, title: task.title })
    yield* markRunning(calls + 1)
    const invocation = yield* Invocation.make(ctx.agent, {
      prompt: Prompt.make({ text: task.prompt, file: task.file, gate: task.backpressure }, previous),
      scripts: task.scripts,
      file: name
    })
    const log = `${name}.agent.log`
    yield* emit("task.agent.started", { agent: snapshot.agent, log })
    const value = yield* runCommand.run(ctx, worktree, {
      ...invocation,
      span: "agent",
      purpose: `agent of task ${task.number} of unit ${unit.id}`,
      log,
      onSlow: (slow) => emit("task.agent.slow", { reason: runCommand.slowReason(slow) })
    })
    const { outcome, reason, tail } = value
    const end = TurnEnd.read({ outcome, format: formatOf(ctx), tail, size: value.log.to }, yield* now)
    // A turn that was refused did nothing.
    if (end.class === "usageLimit" || end.class === "auth" || end.class === "network") yield* markRunning(calls)
    yield* emit("task.agent.ended", { class: end.class, reason, log: value.log })
    return { value, end }
  })

/** The call of an agent is repeated in the same attempt where its service was not reached, and has a log of its own each time. */
const unusedName = (name: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    for (let call = 1; ; call++) {
      const numbered = call === 1 ? name : `${name}.${call}`
      if (!(yield* Effect.orElseSucceed(fs.exists(`${numbered}.agent.log`), () => false))) return numbered
    }
  })

const tryOnce = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  position: commitTask.TaskPosition,
  {
    attempt,
    ignored,
    previous
  }: {
    readonly attempt: number
    readonly previous: Option.Option<Prompt.Previous>
    /** The ignored files that were there before the task. */
    readonly ignored: ReadonlySet<string>
  }
) =>
  Effect.gen(function* () {
    const { job } = ctx
    const { worktree } = position
    const emit = taskEmitter(ctx, unit, task)
    const suffix = `of task ${task.number} of unit ${unit.id}`
    const name = yield* unusedName(
      `${worktree.logs}/${String(task.number).padStart(2, "0")}-attempt-${job.attempt}.${attempt}`
    )

    // Read in the background, since it is needed only once the gate has passed.
    const file = yield* Effect.fork(commitTask.readFile(ctx, task, position.tip))
    const { end, value: agent } = yield* ctx.turns.run(runAgent(ctx, unit, task, worktree, { attempt, name, previous }))
    yield* noteMoved(ctx, unit, task, `agent of attempt ${attempt}`, agent)
    if (agent.reason !== undefined) {
      return failedAttempt({
        reason: `the agent ${runCommand.reasonWithOutput(agent)}`,
        log: agent.log,
        tail: agent.tail,
        pause: backoff(attempt),
        isUnreachable: end.class === "network"
      })
    }

    const made = (yield* commitTask.ignoredFiles(ctx, worktree)).filter((file) => !ignored.has(file))
    const command = task.backpressure
    const gateLog = `${name}.gate.log`
    yield* emit("task.gate.started", { command, log: gateLog })
    const gate = yield* runCommand.line(ctx, worktree, {
      line: command,
      span: "gate",
      purpose: `gate ${suffix}`,
      log: gateLog
    })
    yield* noteMoved(ctx, unit, task, `gate of attempt ${attempt}`, gate)
    if (gate.reason !== undefined) {
      yield* emit("task.gate.failed", { command, reason: gate.reason, log: gate.log })
      const pause = Duration.zero
      return failedAttempt({ reason: `the gate ${gate.reason}`, log: gate.log, tail: gate.tail, pause })
    }
    yield* emit("task.gate.passed", { command, log: gate.log })
    yield* commitTask.noteIgnored(ctx, unit, task, made)
    const accepted = commitTask.commit(ctx, unit, task, position, yield* Fiber.join(file))
    return yield* Effect.map(accepted, (commit) => ({ commit })).pipe(
      Effect.catchTags({
        FilesUnreadable: uncommitted(attempt),
        GitFailed: uncommitted(attempt),
        Locked: uncommitted(attempt)
      })
    )
  }).pipe(
    // The agent switched branches or broke its worktree, so its attempt fails.
    Effect.catchTags({
      BranchMissing: attemptFailed,
      BranchMoved: attemptFailed,
      ContentFiltered: attemptFailed,
      HeadMoved: attemptFailed,
      NestedRepository: attemptFailed,
      OperationInProgress: attemptFailed,
      WorktreeBroken: attemptFailed
    })
  )

/** The message may contain file names that the agent has chosen, so it is sanitized. */
const attemptFailed = ({ message }: { readonly message: string }) =>
  Effect.succeed(failedAttempt({ reason: plainText.line(message), pause: Duration.zero }))

/** Retried with the output of git in the prompt: the cause may be a file of the agent's, or a temporarily full disk. */
const uncommitted =
  (attempt: number) =>
  ({ detail, message }: { readonly message: string; readonly detail?: string }) =>
    Effect.succeed(
      failedAttempt({
        reason: `the work could not be committed: ${plainText.line(message)}`,
        tail: detail ?? "",
        pause: backoff(attempt)
      })
    )
