/**
 * What the turns of a job cost, and the limits of that.
 *
 * The cost of a turn is counted from its output, in the same write that records its end. A turn that is cut off is counted when it is
 * interrupted or, after a crash, before its job is continued or ends.
 */
import { Effect, Option, Schema } from "effect"
import { SpendingLimits } from "../../domain/Cost.js"
import { limitsSignal } from "../../domain/Run.js"
import type { RecordedSignal } from "../../domain/RecordedSignal.js"
import { TaskRecord, TaskSession } from "../../domain/Work.js"
import { now } from "../../internal/now.js"
import type { JobContext, ParkOptions } from "../../manager/Orchestrator.js"
import * as costs from "../../progress/cost.js"
import type { Service as Store } from "../../store/port/RunStoreService.js"
import { retryWrite } from "../../store/rules/retryWrite.js"
import * as Agent from "../agents/Agent.js"
import type { Profile } from "../agents/Profile.js"
import * as usage from "../agents/usage.js"
import { BudgetReached } from "./BudgetReached.js"
import type { RunContext } from "./RunContext.js"
import type { TaskChange, TaskProgress } from "./TaskProgress.js"
import type { WriteError } from "./WriteError.js"

const decode = Schema.decodeUnknownOption(SpendingLimits)

/** The limits of a plan, each as a person has set it last. */
export const limits = (planned: SpendingLimits, signals: ReadonlyArray<RecordedSignal>): SpendingLimits => {
  const set = signals.flatMap(({ name, payload }) => (name === limitsSignal ? Option.toArray(decode(payload)) : []))
  const tokens = set.findLast(({ tokens }) => tokens !== undefined)?.tokens ?? planned.tokens
  const usd = set.findLast(({ usd }) => usd !== undefined)?.usd ?? planned.usd
  return { ...(usd !== undefined && { usd }), ...(tokens !== undefined && { tokens }) }
}

interface Spent extends Pick<RunContext, "spending"> {
  readonly progress: Pick<TaskProgress, "cost">
}

/** Fails once the job has spent as much as it may. */
export const check = ({ progress, spending }: Spent): Effect.Effect<void, BudgetReached> =>
  Effect.suspend(() => {
    const limits = costs.reached(progress.cost(), spending.limits)
    return limits === undefined
      ? Effect.void
      : new BudgetReached({ limits, reason: `the job has reached its limit of ${costs.limitsText(limits)}` })
  })

/** Runs the effect with which a turn begins, or fails as `check`. No turn is counted in between. */
export const begin = <A, E, R>(ctx: Spent, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | BudgetReached, R> =>
  ctx.spending.step(Effect.zipRight(check(ctx), effect))

/** A job that parks at a limit says what it has spent, and how it continues. */
export const parked = (
  { job, progress, spending }: Spent & { readonly job: Pick<RunContext["job"], "id"> },
  options: ParkOptions
): ParkOptions => {
  const limits = options.limits && costs.reached(progress.cost(), spending.limits)
  if (limits === undefined) return options
  const advice = `continue with a new total: ${costs.resumeCommand(job.id, limits)}`
  return { ...options, limits, reason: `${options.reason}: ${costs.spentText(progress.cost(), limits)}; ${advice}` }
}

/** The profile of an agent whose output shows what it costs. */
export const profileOf = (agent: Agent.Agent): Profile | undefined =>
  Agent.$is("Command")(agent) && agent.profile.format !== "text" ? agent.profile : undefined

/** What a turn has cost, and the change of its task's record that counts it. */
const counted = (record: TaskRecord, prices: Profile["prices"]) =>
  Effect.gen(function* () {
    const { cost, session, turn } = record
    if (turn === undefined) return undefined
    const found = usage.count(yield* usage.read(turn.log), { before: turn.total, prices })
    const total = found === undefined ? cost : costs.add(cost ?? costs.nothing, found.cost)
    const ofSession =
      session === undefined || found === undefined
        ? session
        : new TaskSession({ ...session, total: found.total }, { disableValidation: true })
    const change: TaskChange = { turn: undefined, cost: total, session: ofSession }
    const event = found && total && { agent: turn.agent, cost: found.cost, total }
    return { change, event }
  })

interface Place {
  readonly unit: string
  readonly task: number
}

type Counting = Pick<RunContext, "emit" | "progress" | "spending">

/**
 * Counts the turn at a task that has begun, and records that with a further change. Nothing is counted twice: its cost replaces the
 * record of the turn.
 */
export const end = (
  { emit, progress, spending }: Counting,
  { task, unit }: Place,
  prices: Profile["prices"],
  further: (session: TaskSession | undefined) => TaskChange = () => ({})
): Effect.Effect<void, WriteError> =>
  Effect.gen(function* () {
    const found = yield* counted(progress.task(unit, task), prices)
    const record = progress.changeTask(unit, task, { ...found?.change, ...further(found?.change.session) })
    const event = found?.event
    yield* spending.step(
      event === undefined ? record : Effect.zipRight(record, emit("task.spent", event, { unit, task }))
    )
  })

/** Counts the turn at a task, if one has begun and was not counted: it was cut off. */
const endOpen = (ctx: Counting, at: Place, prices: Profile["prices"]) =>
  Effect.suspend(() => (ctx.progress.task(at.unit, at.task).turn === undefined ? Effect.void : end(ctx, at, prices)))

/** Counts a turn that is interrupted. If that fails, the next attempt of the job counts it. */
export const cutOff = (ctx: Counting, at: Place, { agent }: { readonly agent: Agent.Agent }): Effect.Effect<void> =>
  Effect.ignoreLogged(endOpen(ctx, at, profileOf(agent)?.prices))

/**
 * Counts the turns that were cut off with their process: after a crash, since the job may end without a further attempt, and before an
 * attempt, in case that has failed.
 */
export const countCutOff = (
  store: Pick<Store, "work" | "append">,
  { attempt, id: jobId }: Pick<JobContext<unknown>, "id" | "attempt">,
  pricesOf: (agent: string) => Effect.Effect<Profile["prices"]>
): Effect.Effect<void, WriteError> =>
  Effect.gen(function* () {
    for (const record of (yield* store.work.of(jobId)).tasks) {
      if (record.turn === undefined) continue
      const found = yield* counted(record, yield* pricesOf(record.turn.agent))
      const changed = new TaskRecord({ ...record, ...found?.change }, { disableValidation: true })
      const write = retryWrite(store.work.task({ jobId, attempt, task: changed }))
      const { task, unit } = record
      const payload = JSON.stringify(found?.event)
      const events = [{ at: yield* now, type: "task.spent", unit, task, payload }]
      // Both writes are batched in one transaction.
      yield* found?.event === undefined
        ? write
        : Effect.all([write, retryWrite(store.append({ jobId, attempt, events }))], { concurrency: 2, discard: true })
    }
  })
