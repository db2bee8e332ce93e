/**
 * Runs the gate of a task after a turn; a second time if the settings say so, or if the gate has given two answers on the same files.
 */
import { Effect } from "effect"
import { GateFailure } from "../../domain/Work.js"
import { Git } from "../../git/Git.js"
import { Snapshot } from "../../git/Snapshot.js"
import type { Task, Unit } from "../plan/Plan.js"
import type { TaskPosition } from "./commitTask.js"
import { ofTask } from "./emitTaskEvent.js"
import * as Note from "./Note.js"
import type { RunContext } from "./RunContext.js"
import * as runCommand from "./runCommand.js"

/** How many runs that failed are remembered. */
const mostFailures = 20

/** Records a run that failed, over restarts too. */
export const remember = (
  { progress }: RunContext,
  { task, unit }: { readonly unit: string; readonly task: number },
  { files, log }: { readonly files: string; readonly log: string }
) => {
  const others = (progress.task(unit, task).gateFailures ?? []).filter((failure) => failure.files !== files)
  const failure = new GateFailure({ files, log }, { disableValidation: true })
  return progress.changeTask(unit, task, { gateFailures: [...others.slice(1 - mostFailures), failure] })
}

export interface Verdict {
  readonly result: runCommand.CommandResult
  /** Why the attempt has failed, if it has. */
  readonly reason: string | undefined
  /** Whether a run has failed before on the same files and commits, or nothing has changed since the task began. */
  readonly isUnchanged?: boolean
}

/** Equal for equal files and commits; undefined if they cannot be read. */
const filesOf = ({ repository }: RunContext, { tip, worktree: { branch, path } }: TaskPosition) =>
  Effect.flatMap(Git, (git) => git.takeSnapshot(repository, { path, branch, base: tip })).pipe(
    Effect.map(
      Snapshot.$match({
        Absent: () => undefined,
        Unchanged: () => tip,
        Taken: ({ commit }) => commit
      })
    ),
    Effect.orElseSucceed(() => undefined)
  )

/** Whether the files are those of the tip, so that no turn has changed anything. */
export const isUnchanged = (ctx: RunContext, position: TaskPosition) =>
  Effect.map(filesOf(ctx, position), (files) => files === position.tip)

/** Whether a gate of the job with this command is known to be flaky. */
const isKnown = ({ progress, snapshot }: RunContext, command: string): boolean =>
  snapshot.plan.units.some(({ id, tasks }) =>
    tasks.some(
      ({ backpressure, number }) =>
        backpressure === command &&
        progress.task(id, number).notes.some((note) => typeof note !== "string" && note._tag === "flaky")
    )
  )

/** `name`: the path of the logs, without their extensions. */
export const run = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  position: TaskPosition,
  { attempt, name }: { readonly attempt: number; readonly name: string }
) =>
  Effect.gen(function* () {
    const { gates } = ctx.snapshot.plan.settings
    const about = { unit: unit.id, task: task.number }
    const emit = ofTask(ctx, unit, task)
    const command = task.backpressure
    const runOnce = (log: string) =>
      Effect.gen(function* () {
        yield* emit("task.gate.started", { command, log })
        const result = yield* runCommand.line(ctx, position.worktree, {
          line: command,
          task,
          span: "gate",
          purpose: `gate of task ${task.number} of unit ${unit.id}`,
          log
        })
        yield* Note.addMoved(ctx, about, `gate of attempt ${attempt}`, result)
        if (result.reason === undefined) {
          yield* emit("task.gate.passed", { command, log: result.log })
          return { result, reason: undefined }
        }
        yield* emit("task.gate.failed", { command, reason: result.reason, log: result.log })
        const files = yield* filesOf(ctx, position)
        if (files !== undefined) yield* remember(ctx, about, { files, log })
        return {
          result,
          reason: `the gate ${runCommand.reasonWithOutput(result)}`,
          isUnchanged: files === position.tip
        }
      })

    const failures = ctx.progress.task(unit.id, task.number).gateFailures ?? []
    const files = failures.length === 0 ? undefined : yield* filesOf(ctx, position)
    const failedBefore = failures.find((failure) => failure.files === files)?.log
    const first: Verdict = yield* runOnce(`${name}.gate.log`)
    const isAsked = gates.twice === true || failedBefore !== undefined || isKnown(ctx, command)
    if (first.reason !== undefined)
      return { ...first, isUnchanged: failedBefore !== undefined || first.isUnchanged === true }
    if (!isAsked) return first
    const second: Verdict = yield* runOnce(`${name}.gate-again.log`)
    const other = failedBefore ?? (second.reason === undefined ? undefined : second.result.log.file)
    if (other === undefined) return second
    yield* Note.add(ctx, about, { _tag: "flaky", logs: [first.result.log.file, other] })
    if (second.reason !== undefined || gates.flaky !== "fail") return second
    return { ...second, reason: "the gate is flaky: it failed before on the same files, and passed now" }
  })
