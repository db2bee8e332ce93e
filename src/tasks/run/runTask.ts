/**
 * Runs one task: attempts, until one is committed or none is left.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Duration, Effect, Option } from "effect"
import { now } from "../../internal/now.js"
import * as Tracing from "../../internal/Tracing.js"
import type { TaskRecord } from "../../domain/Work.js"
import type * as Prompt from "../agents/Prompt.js"
import type { Task, Unit } from "../plan/Plan.js"
import * as Snapshots from "../Snapshots.js"
import * as AgentWait from "./AgentWait.js"
import type * as commitTask from "./commitTask.js"
import * as DiscardedWork from "./DiscardedWork.js"
import { ofTask } from "./emitTaskEvent.js"
import { TaskFailure } from "./errors.js"
import * as gateBefore from "./gateBefore.js"
import * as Note from "./Note.js"
import { QuestionAsked } from "./Questions.js"
import { untilRoom } from "./retryWhileUnwritable.js"
import type { RunContext } from "./RunContext.js"
import * as saveUnfinished from "./saveUnfinished.js"
import { type AfterTurn, type Outcome, tryTask } from "./tryTask.js"
import * as UnitWorktree from "./UnitWorktree.js"

const reasonOf = (outcome: Outcome): string | undefined => ("reason" in outcome ? outcome.reason : undefined)

interface Options {
  /** The number of attempts. */
  readonly attempts: number
  /** Follows the turn instead of the gate and the commit of the task. */
  readonly afterTurn?: AfterTurn
}

/** Returns the position at which the next task starts. */
export const run = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  position: commitTask.TaskPosition,
  { afterTurn, attempts }: Options = ctx.snapshot.plan.settings
) =>
  Effect.gen(function* () {
    const { progress } = ctx
    const emit = ofTask(ctx, unit, task)
    const change = (change: Parameters<typeof progress.changeTask>[2]) =>
      progress.changeTask(unit.id, task.number, change)
    const record = () => progress.task(unit.id, task.number)

    // The job's previous attempt was interrupted after the task had failed, but before its unit was recorded as failed.
    if (record().state === "failed") return yield* failure(unit, task, record())
    yield* ctx.mayGoOn
    const before: gateBefore.Before =
      afterTurn === undefined
        ? yield* gateBefore.run(ctx, unit, task, position)
        : { worktree: position.worktree, ignored: [] }
    let { worktree } = before
    const { ignored, refused } = before
    if (refused !== undefined) {
      const { log, reason } = refused
      yield* change({ state: "failed", reason, log: log.file, endedAt: yield* now })
      yield* emit("task.failed", { attempts: 0, reason, log })
      return yield* failure(unit, task, record())
    }
    let previous = yield* previousAttempt(ctx, record())
    const unitAt = { unit: unit.id, path: worktree.path, branch: worktree.branch, at: position.tip }
    const save = saveUnfinished.afterTurn(ctx, unitAt)
    const restarted = new Set<number>()
    let mayExcuse = true
    let unchanged = Option.none<Prompt.Previous>()
    const turns = ctx.taskAgents.turns(unit.id, task, {
      waiting: (reason) => (take) =>
        Effect.zipRight(
          ctx.emit("unit.waiting", { reason }, { unit: unit.id }),
          ctx.working.pause(ctx.lendPermit(take))
        ),
      changed: (name, cause) =>
        Effect.zipRight(
          save,
          Note.add(ctx, { unit: unit.id, task: task.number }, `${name} continues: ${AgentWait.of(cause).reason}`)
        )
    })
    for (;;) {
      yield* ctx.mayGoOn
      const attempt = record().failures + 1
      const outcome = yield* tryTask(
        ctx,
        unit,
        task,
        { worktree, tip: position.tip, ignored },
        { attempt, afterTurn, mayExcuse, previous, restarted, turns, unchanged }
      ).pipe(
        Effect.tapErrorTag("AgentsUnavailable", () => save),
        Tracing.tracedResult(Tracing.attempt, reasonOf, { attributes: { attempt } })
      )
      if ("next" in outcome) {
        const { tip: commit } = outcome.next
        yield* change({ state: "completed", commit, endedAt: yield* now })
        yield* emit("task.committed", { commit })
        yield* emit("task.completed", { attempt, commit })
        return outcome.next
      }
      unchanged = Option.none()
      if ("asked" in outcome) {
        yield* save
        yield* ctx.questions.ask({ ...outcome.asked, unit: unit.id, task: task.number })
        yield* ctx.emit("unit.asked", { task: task.number, question: outcome.asked.question }, { unit: unit.id })
        return yield* new QuestionAsked()
      }
      if ("unchanged" in outcome) {
        const { reason, tail } = outcome.unchanged
        const about = { unit: unit.id, task: task.number }
        yield* Note.add(ctx, about, `a turn of attempt ${attempt} changed nothing, so it goes on: ${reason}`)
        unchanged = Option.some({ reason: ctx.hide(reason), tail: ctx.hide(tail) })
        continue
      }

      const { isExcused = false, isFinal = false, log, pause, reason, said, tail = "", unjudged } = outcome
      if (unjudged !== undefined) {
        if (isExcused) mayExcuse = false
        yield* emit("task.retry", { class: unjudged, attempt, reason, pause: Duration.toMillis(pause), log })
        yield* ctx.working.pause(Effect.sleep(pause))
        continue
      }
      const waiting = (problem: string) =>
        Note.add(ctx, { unit: unit.id, task: task.number }, `${problem}: attempt ${attempt} goes on once there is room`)
      if (yield* ctx.working.pause(untilRoom(worktree.path, waiting))) {
        yield* emit("task.retry", { class: "failed", attempt, reason, pause: 0, log })
        continue
      }
      const failed = { failures: attempt, reason, said, log: log?.file, commit: undefined }
      if (attempt >= attempts || isFinal) {
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
        const snapshot = yield* saveUnfinished.discarded(ctx, unitAt)
        const see = Option.match(snapshot, {
          onNone: () => "",
          onSome: (snapshot) => `; its work: ${Snapshots.command(ctx.job.id, unit.id, snapshot)}`
        })
        const about = { unit: unit.id, task: task.number }
        yield* Note.add(ctx, about, `attempt ${attempt} was discarded: ${fault.value}${see}`)
        worktree = yield* UnitWorktree.create(ctx, unitAt)
        yield* DiscardedWork.note(ctx, worktree, { commit: position.tip, why: fault.value, snapshot })
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
