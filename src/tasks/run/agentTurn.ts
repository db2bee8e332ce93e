/**
 * One turn of the agent at a task, with its records and events.
 */
import { DateTime, Duration, Effect, Option } from "effect"
import * as answered from "../agents/answered.js"
import * as Invocation from "../agents/Invocation.js"
import * as Prompt from "../agents/Prompt.js"
import * as Session from "../agents/Session.js"
import * as TurnEnd from "../agents/TurnEnd.js"
import { TaskSession } from "../../domain/Work.js"
import { now } from "../../internal/now.js"
import * as plainText from "../../internal/plainText.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Task, Unit } from "../plan/Plan.js"
import { ofTask } from "./emitTaskEvent.js"
import * as firstPrompt from "./firstPrompt.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as Note from "./Note.js"
import { ownDirectories } from "./ownDirectories.js"
import { disk, retryWhileUnwritable } from "./retryWhileUnwritable.js"
import * as runCommand from "./runCommand.js"
import * as Spending from "./Spending.js"
import type { Worker } from "./TaskAgents.js"
import type { TaskChange } from "./TaskProgress.js"
import * as taskSession from "./taskSession.js"
import type * as UnitWorktree from "./UnitWorktree.js"

/** Work that took so long, and its failure, belong to the task. */
const shortest = Duration.minutes(1)

/** Longer messages are cut. */
const longestMessage = 1_000

/** The agent's own message, if it failed by itself and has one. What it says after a good end is no reason, even if it moved a ref. */
export const ownMessage = (
  { outcome }: Pick<runCommand.CommandResult, "outcome">,
  output: answered.Output,
  message = answered.message(output)
): string | undefined =>
  outcome._tag !== "Exited" || outcome.code === 0 || message === undefined || message === ""
    ? undefined
    : plainText.line(message).slice(0, longestMessage)

/** Why a turn failed. */
export const failure = (result: runCommand.CommandResult, own: string | undefined): string =>
  own === undefined ? `the agent ${runCommand.reasonWithOutput(result)}` : `the agent failed: ${own}`

export const run = (
  ctx: RunContext,
  unit: Unit,
  task: Task,
  worktree: UnitWorktree.UnitWorktree,
  {
    attempt,
    canResume,
    discarded,
    name,
    previous,
    restored,
    unchanged,
    worker
  }: {
    readonly attempt: number
    /** Whether the turn may resume the session of the last one. */
    readonly canResume: boolean
    readonly discarded: Option.Option<Prompt.Discarded>
    /** The path of the turn's files, without their extensions. */
    readonly name: string
    readonly previous: Option.Option<Prompt.Previous>
    readonly restored: Option.Option<Prompt.Restored>
    /** Why the gate has failed after a turn that changed nothing, if that was the last one. */
    readonly unchanged: Option.Option<Prompt.Previous>
    readonly worker: Worker
  }
) =>
  Effect.gen(function* () {
    const { progress } = ctx
    const emit = ofTask(ctx, unit, task)
    const { calls, resolves, session: former, startedAt = yield* now } = progress.task(unit.id, task.number)
    const log = `${name}.agent.log`
    const profile = taskSession.profileOf(ctx, task, worker)
    const resumed =
      profile !== undefined && canResume ? yield* taskSession.resumable(profile, former, worktree.path) : undefined
    const answers = ctx.questions.answersTo(unit.id, task.number)
    const session = (id: string | undefined, total: TaskSession["total"]) =>
      profile &&
      new TaskSession({
        agent: profile.name,
        directory: worktree.path,
        attempt,
        log,
        ...(answers.length > 0 && { answers: answers.length }),
        ...(id !== undefined && { id }),
        ...(total !== undefined && { total })
      })
    const metered = Spending.profileOf(worker.agent)
    const total = resumed === undefined ? undefined : former?.total
    const turn = metered && { agent: worker.name, log, ...(total !== undefined && { total }) }
    const running = { state: "running", startedAt } as const
    const markRunning = (change: TaskChange) => progress.changeTask(unit.id, task.number, { ...running, ...change })
    yield* Spending.check(ctx)
    // Record the task as running first, so that reaching the limit fails this task.
    yield* Effect.tapError(limits.agentCall(ctx), () => markRunning({ calls, session: former }))
    // In this order, both writes are batched in one transaction.
    yield* emit("task.started", { attempt, title: task.title })
    yield* markRunning({ calls: calls + 1, session: session(resumed?.id, total), turn })
    const { settings } = ctx.snapshot.plan
    const whole = firstPrompt.about(task, settings)
    const about = resolves === undefined ? whole : { ...whole, gate: undefined }
    // Only the turns at a task wait for a person.
    const mayAsk = resolves === undefined && firstPrompt.isAsking(settings, worker.agent)
    const more = { discarded: Option.getOrUndefined(discarded), isUnchanged: Option.isSome(unchanged), mayAsk }
    const known = resumed?.lastAttempt === undefined ? 0 : (former?.answers ?? 0)
    yield* ownDirectories(ctx, log)
    const invocation = yield* retryWhileUnwritable(disk, (problem) =>
      Note.add(ctx, { unit: unit.id, task: task.number }, `${problem}: the agent starts once its prompt can be written`)
    )(
      Invocation.make(worker.agent, {
        model: worker.model,
        prompt:
          resumed === undefined
            ? Prompt.make(
                about,
                Option.orElse(unchanged, () => previous),
                restored,
                { ...more, answers }
              )
            : Prompt.resume(
                about,
                Option.getOrElse(unchanged, () => taskSession.since(resumed, attempt, previous)),
                restored,
                { ...more, answers: answers.slice(known) }
              ),
        session: resumed?.id,
        scripts: task.scripts,
        wrap: ctx.wrapOf(task),
        file: name
      })
    )
    // Other turns may have ended meanwhile.
    yield* Effect.tapError(Spending.begin(ctx, emit("task.agent.started", { agent: worker.name, log })), () =>
      markRunning({ calls, session: former, turn: undefined })
    )
    const clock = yield* RealClock
    const began = yield* clock.now
    const value = yield* runCommand.run(ctx, worktree, {
      ...invocation,
      span: "agent",
      purpose: `agent of task ${task.number} of unit ${unit.id}`,
      log,
      onSlow: (slow) => emit("task.agent.slow", { reason: runCommand.slowReason(slow) })
    })
    const { outcome, reason, tail } = value
    // Agents inherit the time zone of this process.
    const ended = yield* now
    // The clock may have been set, or the machine suspended.
    const took = Duration.millis((yield* clock.now) - began)
    const here = { now: ended, zone: DateTime.zoneMakeLocal() }
    const output = { format: firstPrompt.formatOf(worker.agent), tail, size: value.log.to }
    const read = TurnEnd.read({ outcome, ...output, took, limits: firstPrompt.limitsOf(worker.agent) }, here)
    const own = ownMessage(value, output, read.message)
    const said = answered.said(output)
    const named = profile === undefined ? Option.none() : yield* Session.inLog(profile.format, log)
    const isFailed = read.class === "failed" || read.class === "unanswered"
    const isUnusable = isFailed && Session.isUnusable(tail)
    // A resumed turn that names no session did not get that far.
    const isSessionLost = resumed !== undefined && isFailed && (isUnusable || Option.isNone(named))
    const isShort = Duration.lessThan(took, shortest) && own !== undefined && read.isTooLong !== true
    const isExcusable = read.class === "failed" && read.answered === true && isShort && !isSessionLost
    const end = { ...read, ...(isSessionLost && { isSessionLost }) }
    const isRefused = TurnEnd.isRefused(end)
    if (profile !== undefined || metered !== undefined || isRefused) {
      // An agent that did nothing leaves the session of the agent before it, which may continue.
      const isOther = former !== undefined && former.agent !== worker.name
      const isKept = isRefused && isOther && end.answered === false
      const isLost = isUnusable || isSessionLost
      const next = (total: TaskSession["total"]) =>
        isLost
          ? undefined
          : session(
              Option.getOrElse(named, () => resumed?.id),
              total
            )
      yield* Spending.end(ctx, { unit: unit.id, task: task.number }, metered?.prices, (counted) => ({
        ...running,
        calls: isRefused ? calls : calls + 1,
        session: isKept ? former : next(counted?.total)
      }))
    }
    // Without a record of its failure, what it printed last says why it failed.
    const message = own ?? runCommand.reasonWithOutput(value)
    yield* emit("task.agent.ended", {
      class: end.class,
      ...(reason !== undefined && { reason: message }),
      said,
      log: value.log
    })
    const question = end.class === "done" && mayAsk ? answered.question(output) : undefined
    const by = { agent: worker.name, session: Option.getOrElse(named, () => resumed?.id) }
    const asked = question === undefined ? undefined : { ...by, question }
    return {
      value: { ...value, own, said, asked, mayAsk, isExcusable, turn: by },
      end: end.class === "done" ? end : { message, ...end }
    }
  }).pipe(Effect.onInterrupt(() => Spending.cutOff(ctx, { unit: unit.id, task: task.number }, worker)))
