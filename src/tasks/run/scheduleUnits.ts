/**
 * Runs the units of a job with bounded concurrency and a deterministic result.
 *
 * A unit starts at the result as of the merge of its last dependency in plan order, and units are merged in plan order. So the
 * result depends neither on the concurrency nor on how long each unit takes.
 */
import { Effect, Order, Schema } from "effect"
import { now } from "../../internal/now.js"
import * as Permits from "../../internal/Permits.js"
import * as race from "../../internal/race.js"
import * as Tracing from "../../internal/Tracing.js"
import * as plainText from "../../internal/plainText.js"
import { ObjectId } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import * as AgentWait from "./AgentWait.js"
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
    const { concurrency } = ctx.job.config
    const permits = new Permits.Queue(concurrency, Order.number)
    // A unit that waits for a turn lends its permit, so without this the units of a busy agent would all open their worktrees.
    const begun = new Map<string, Permits.Permits>()
    const withBegun = (agent: string) => {
      const permits = begun.get(agent) ?? Permits.make(concurrency)
      begun.set(agent, permits)
      return permits
    }

    const runOne = (unit: Unit, position: number) =>
      Effect.gen(function* () {
        if (isSettled(ctx, unit)) return
        const last = Math.max(-1, ...unit.dependsOn.map((id) => positions.get(id) ?? -1))
        yield* activity.awaitSettled(last)
        const waitsFor = unit.dependsOn.filter((id) => !isDone(ctx, id))
        if (waitsFor.length > 0) return yield* block(ctx, unit, waitsFor)

        const permit = Permits.lendable(permits)
        const merge = (completed: Effect.Effect.Success<ReturnType<typeof runUnit.run>>) =>
          Effect.flatMap(resultAfter(ctx, position - 1), (result) =>
            limits.within(ctx)(mergeUnit.merge(ctx, unit, completed, result))
          ).pipe(Tracing.traced(Tracing.merge, { attributes: { unit: unit.id } }))
        // A unit that waits to be merged, or for its agent, releases its permit for another unit.
        const work = Effect.suspend(() => {
          const next = unit.remaining.find(runUnit.isUnfinished(ctx, unit))
          const [head] = next === undefined ? [] : ctx.snapshot.agentsOf(next)
          return Effect.gen(function* () {
            if (next !== undefined) yield* ctx.taskAgents.check(unit.id, next)
            const own = { ...ctx, lendPermit: permit.lend }
            const completed = yield* limits.within(ctx)(runUnit.run(own, unit, yield* resultAfter(ctx, last)))
            if (!activity.isSettled(position - 1)) return { completed }
            yield* merge(completed)
            return "merged" as const
          }).pipe(
            Tracing.traced(Tracing.unit, { attributes: { unit: unit.id } }),
            permit.hold,
            withBegun(head?.agent ?? "")
          )
        })
        yield* AgentWait.forPerson(ctx, unit, activity)
        let outcome: Effect.Effect.Success<typeof work> | undefined
        while (outcome === undefined) {
          outcome = yield* Effect.catchTags(work, {
            AgentsUnavailable: ({ causes }) => Effect.as(AgentWait.until(ctx, unit, activity, causes), undefined)
          })
        }
        if (outcome === "merged") return
        yield* activity.awaitSettled(position - 1)
        yield* permit.hold(merge(outcome.completed))
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
