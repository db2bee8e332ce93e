/**
 * One turn of the agent at a task, with its records and events.
 */
import { DateTime, Effect, type Option } from "effect"
import * as Agent from "../agents/Agent.js"
import * as Invocation from "../agents/Invocation.js"
import * as Prompt from "../agents/Prompt.js"
import * as TurnEnd from "../agents/TurnEnd.js"
import { now } from "../../internal/now.js"
import type { Task, Unit } from "../plan/Plan.js"
import { ofTask } from "./emitTaskEvent.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as Note from "./Note.js"
import { disk, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import * as runCommand from "./runCommand.js"
import type * as UnitWorktree from "./UnitWorktree.js"

/** The `sh` blocks of a task report no failures of an agent: all of their output belongs to the task. */
const formatOf = ({ agent }: RunContext) => (Agent.$is("Command")(agent) ? agent.profile.format : undefined)

export const run = (
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
    /** The path of the turn's files, without their extensions. */
    readonly name: string
    readonly previous: Option.Option<Prompt.Previous>
  }
) =>
  Effect.gen(function* () {
    const { progress, snapshot } = ctx
    const emit = ofTask(ctx, unit, task)
    const { calls, startedAt = yield* now } = progress.task(unit.id, task.number)
    const markRunning = (calls: number) =>
      progress.changeTask(unit.id, task.number, { state: "running", startedAt, calls })
    // Record the task as running first, so that reaching the limit fails this task.
    yield* Effect.tapError(limits.agentCall(ctx), () => markRunning(calls))
    // In this order, both writes are batched in one transaction.
    yield* emit("task.started", { attempt, title: task.title })
    yield* markRunning(calls + 1)
    const invocation = yield* retryWhileUnwritable(disk, (problem) =>
      Note.add(ctx, { unit: unit.id, task: task.number }, `${problem}: the agent starts once its prompt can be written`)
    )(
      Invocation.make(ctx.agent, {
        prompt: Prompt.make({ text: task.prompt, file: task.file, gate: task.backpressure }, previous),
        scripts: task.scripts,
        file: name
      })
    )
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
    // Agents inherit the time zone of this process.
    const here = { now: yield* now, zone: DateTime.zoneMakeLocal() }
    const end = TurnEnd.read({ outcome, format: formatOf(ctx), tail, size: value.log.to }, here)
    if (TurnEnd.isRefused(end)) yield* markRunning(calls)
    yield* emit("task.agent.ended", { class: end.class, reason, log: value.log })
    return { value, end }
  })
