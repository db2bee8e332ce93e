/**
 * Runs the units of a job with bounded concurrency and a deterministic result.
 *
 * A unit starts at the result as of the merge of its last dependency in plan order, and units are merged in plan order. So the
 * result depends neither on the concurrency nor on how long each unit takes.
 */
import { DateTime, Effect, Schema } from "effect"
import { now } from "../../internal/now.js"
import * as Permits from "../../internal/Permits.js"
import * as race from "../../internal/race.js"
import * as Tracing from "../../internal/Tracing.js"
import * as plainText from "../../internal/plainText.js"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import { ObjectId } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import { isReported, type TaskUnanswered } from "./AgentGate.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as mergeUnit from "./mergeUnit.js"
import type { WriteError } from "./WriteError.js"
import * as runUnit from "./runUnit.js"
import * as UnitActivity from "./UnitActivity.js"

/** Returns once each unit is merged, failed or blocked. */
export const run = (ctx: RunContext) =>
  Effect.gen(function* () {
    const { units } = ctx.snapshot.plan
    const positions = new Map(units.map(({ id }, position) => [id, position]))
    const activity = yield* UnitActivity.make(ctx.job, units.length)
    const withPermit = Permits.make(ctx.job.config.concurrency)

    const runOne = (unit: Unit, position: number) =>
      Effect.gen(function* () {
        if (isSettled(ctx, unit)) return
        const last = Math.max(-1, ...unit.dependsOn.map((id) => positions.get(id) ?? -1))
        yield* activity.awaitSettled(last)
        const waitsFor = unit.dependsOn.filter((id) => !isDone(ctx, id))
        if (waitsFor.length > 0) return yield* block(ctx, unit, waitsFor)

        const merge = (completed: Effect.Effect.Success<ReturnType<typeof runUnit.run>>) =>
          Effect.flatMap(resultAfter(ctx, position - 1), (result) =>
            limits.within(ctx)(mergeUnit.merge(ctx, unit, completed, result))
          ).pipe(Tracing.traced(Tracing.merge, { attributes: { unit: unit.id } }))
        // A unit that waits to be merged, or for its agent, releases its permit for another unit.
        const work = withPermit(
          Effect.gen(function* () {
            const next = unit.remaining.find(runUnit.isUnfinished(ctx, unit))
            if (next !== undefined) yield* ctx.turns.check({ unit: unit.id, task: next.number })
            const completed = yield* limits.within(ctx)(runUnit.run(ctx, unit, yield* resultAfter(ctx, last)))
            if (!activity.isSettled(position - 1)) return { completed }
            yield* merge(completed)
            return "merged" as const
          }).pipe(Tracing.traced(Tracing.unit, { attributes: { unit: unit.id } }))
        )
        const wait = awaitAgent(ctx, unit, activity)
        const awaitPerson = (reason: string) => wait({ reason })
        // An earlier attempt of the job waited for a person, who has not resumed it since: no turn could succeed.
        const { reason } = ctx.progress.unit(unit.id)
        if (reason !== undefined) yield* awaitPerson(reason)
        let outcome: Effect.Effect.Success<typeof work> | undefined
        while (outcome === undefined) {
          outcome = yield* Effect.catchTags(work, {
            AgentProbed: ({ ended }) => Effect.as(ended, undefined),
            AgentLimited: ({ limit }) => Effect.as(wait(untilReset(limit)), undefined),
            TaskUnanswered: (unanswered) => Effect.as(wait(untilAnother(unanswered)), undefined),
            AgentUnauthorized: ({ reason }) =>
              Effect.zipRight(ctx.progress.changeUnit(unit.id, { reason }), Effect.as(awaitPerson(reason), undefined))
          })
        }
        if (outcome === "merged") return
        yield* activity.awaitSettled(position - 1)
        yield* withPermit(merge(outcome.completed))
      }).pipe(
        Effect.catchAll((error) =>
          error._tag === "StoreError" || error._tag === "Superseded" ? error : fail(ctx, unit, error)
        ),
        Effect.zipRight(activity.awaitSettled(position - 1)),
        Effect.zipRight(activity.settle(position)),
        Effect.zipRight(activity.end)
      )

    yield* race.all(units.map(runOne))
  })

const awaitAgent =
  ({ emit }: RunContext, { id }: Unit, activity: UnitActivity.UnitActivity) =>
  (wait: UnitActivity.Wait): Effect.Effect<void> => {
    const { reason, until } = wait
    const payload = until === undefined ? { reason } : { reason, until: DateTime.formatIso(until) }
    return Effect.zipRight(emit("unit.waiting", payload, { unit: id }), activity.awaitAgent(wait))
  }

const what: { readonly [K in AgentLimit["kind"]]: string } = {
  usage: "is at its usage limit",
  funds: "has nothing left to spend",
  outage: "does not reach its service",
  unanswered: "gets no answer from its model"
}

const untilReset = (limit: AgentLimit): UnitActivity.Wait => {
  const { agent, kind, reason, refusals, until } = limit
  const unknown = isReported(limit) ? "; it does not say when that resets" : "; no attempt used"
  return {
    reason: `${agent} ${what[kind]}: ${plainText.line(reason).slice(0, 300)}${refusals === 0 ? "" : unknown}`,
    until
  }
}

const untilAnother = ({ agent, reason, turns, until }: TaskUnanswered): UnitActivity.Wait => ({
  reason: `${agent} got no answer from its model ${turns} times in a row: ${reason}; no attempt used`,
  until
})

const isSettled = ({ progress }: RunContext, { id }: Unit): boolean => {
  const { state } = progress.unit(id)
  return state !== "pending" && state !== "running"
}

/** Resumes units that wait for a person, since a person has resumed the job. */
export const endWaits = (ctx: RunContext) =>
  Effect.forEach(
    ctx.snapshot.plan.units.filter((unit) => !isSettled(ctx, unit) && ctx.progress.unit(unit.id).reason !== undefined),
    ({ id }) => ctx.progress.changeUnit(id, { reason: undefined }),
    { discard: true }
  )

const isDone = ({ progress }: RunContext, id: string): boolean => {
  const { state } = progress.unit(id)
  return state === "merged" || state === "skipped"
}

/** The commit of the result with the units up to a position merged. */
export const resultAfter = ({ progress, snapshot }: RunContext, position: number) => {
  const merged = snapshot.plan.units
    .slice(0, position + 1)
    .map(({ id }) => progress.unit(id))
    .findLast(({ state }) => state === "merged")
  return merged === undefined ? Effect.succeed(snapshot.base) : Schema.decodeUnknown(ObjectId)(merged.commit)
}

const block = ({ emit, progress }: RunContext, { id }: Unit, waitsFor: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* progress.changeUnit(id, { state: "blocked", endedAt: yield* now })
    yield* emit("unit.blocked", { waitsFor }, { unit: id })
  })

/** The error of a unit; the other units continue. */
interface Failure {
  readonly _tag: string
  readonly message: string
  readonly task?: number
}

const fail = (
  { emit, progress }: RunContext,
  { id }: Unit,
  { message: unsafeMessage, task }: Failure
): Effect.Effect<void, WriteError> =>
  Effect.gen(function* () {
    const message = plainText.line(unsafeMessage)
    // Tasks that were running when the unit failed are recorded as failed for the same reason.
    const stopped = progress.tasksOf(id).filter(({ state }) => state === "running")
    for (const { failures, task } of stopped) {
      yield* progress.changeTask(id, task, { state: "failed", reason: message, endedAt: yield* now })
      yield* emit("task.failed", { attempts: failures, reason: message }, { unit: id, task })
    }
    yield* progress.changeUnit(id, { state: "failed", reason: message, endedAt: yield* now })
    yield* emit("unit.failed", { reason: message, task: task ?? stopped[0]?.task }, { unit: id })
  })
