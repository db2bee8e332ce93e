/**
 * Runs the units of a job with bounded concurrency, by the model of `Fold`: where each begins, and when it is merged.
 */
import { Array, Effect, Order } from "effect"
import { now } from "../../internal/now.js"
import * as Permits from "../../internal/Permits.js"
import * as race from "../../internal/race.js"
import * as Tracing from "../../internal/Tracing.js"
import * as plainText from "../../internal/plainText.js"
import type { ParkOptions } from "../../manager/Orchestrator.js"
import type { Unit } from "../plan/Plan.js"
import * as mergeWait from "../../internal/mergeWait.js"
import * as AgentWait from "./AgentWait.js"
import * as AnswerWait from "./AnswerWait.js"
import type { TaskPosition } from "./commitTask.js"
import { UnitBlocked } from "./errors.js"
import * as Fold from "./Fold.js"
import * as limits from "./limits.js"
import { AgentsUnavailable } from "./TaskAgents.js"
import * as Spending from "./Spending.js"
import type { RunContext } from "./RunContext.js"
import * as mergeUnit from "./mergeUnit.js"
import type { WriteError } from "./WriteError.js"
import * as runUnit from "./runUnit.js"
import * as unitCommits from "./unitCommits.js"
import * as UnitActivity from "./UnitActivity.js"

/** A unit that is done, and why its merge waits for its agent. */
interface MergeWaits {
  readonly completed: TaskPosition
  readonly causes: AgentsUnavailable["causes"] | undefined
}

/** Returns once each unit is merged, failed or blocked. */
export const run = (ctx: RunContext) =>
  Effect.gen(function* () {
    const { emit } = ctx
    const { units } = ctx.snapshot.plan
    const plan: Fold.Plan = { units, standing: (id) => standing(ctx, id) }
    const positions = new Map<string, number>(units.map(({ id }, position) => [id, position]))
    const park = (options: ParkOptions) => ctx.job.park(Spending.parked(ctx, options))
    const activity = yield* UnitActivity.make({ park }, units.length)
    const { concurrency } = ctx.job.config
    const permits = new Permits.Queue(concurrency, Order.number)
    // A unit that waits for a turn lends its permit, so without this the units of a busy agent would all open their worktrees.
    const begun = new Map<string, Permits.Permits>()
    const withBegun = (agent: string) => {
      const permits = begun.get(agent) ?? Permits.make(concurrency)
      begun.set(agent, permits)
      return permits
    }

    const positionOf = (id: string) => positions.get(id) ?? 0

    const runOne = (unit: Unit, position: number) =>
      Effect.gen(function* () {
        if (isSettled(ctx, unit)) return
        if (standing(ctx, unit.id) === "done") yield* activity.complete(position)
        const merged = (ids: ReadonlyArray<string>, why = "") => {
          const [last = unit.id] = ids.slice(-1)
          const reason = `${mergeWait.text(ids)}${why}`
          const waiting = emit("unit.waiting", { reason, waitsFor: ids }, { unit: unit.id })
          return Effect.zipRight(waiting, activity.awaitSettled(positionOf(last)))
        }
        const mayGoOn = Effect.suspend(() => {
          const by = Fold.lost(plan, unit)
          return by.length > 0 ? new UnitBlocked({ by }) : Effect.void
        })
        const isLost = (id: string) => standing(ctx, id) === "lost"
        const blocked = race.first(
          unit.dependsOn.map((id) =>
            Effect.flatMap(activity.settled(positionOf(id)), () => (isLost(id) ? Effect.void : Effect.never))
          )
        )
        /** Waits for an agent or a person; ends also once a unit that it depends on is in no result. */
        const awaitAgent = <E, R>(wait: (activity: UnitActivity.UnitActivity) => Effect.Effect<void, E, R>) =>
          race.first([
            wait({
              ...activity,
              awaitAgent: (...waits) =>
                activity.awaitAgent(
                  ...Array.map(waits, (wait) => ({ ...wait, isBlocked: () => unit.dependsOn.some(isLost) }))
                )
            }),
            blocked
          ])

        const permit = Permits.lendable(permits)
        const own = { ...ctx, lendPermit: permit.lend, mayGoOn }
        /** Also ends if the turn at a conflict has to wait for its agent. */
        const merge = (completed: TaskPosition, onto: string | undefined) =>
          Effect.flatMap(unitCommits.resultAfter(ctx, onto), (result) =>
            limits.within(ctx)(mergeUnit.merge(own, unit, completed, result))
          ).pipe(
            Tracing.traced(Tracing.merge, { attributes: { unit: unit.id } }),
            Effect.as("merged" as const),
            Effect.catchTag("AgentsUnavailable", ({ causes }) => Effect.succeed({ completed, causes }))
          )
        // A unit that waits to be merged, or for its agent, releases its permit for another unit.
        const work = (start: Fold.Start) => {
          const next = unit.remaining.find(runUnit.isUnfinished(ctx, unit))
          const [head] = next === undefined ? [] : ctx.snapshot.agentsOf(next)
          return Effect.gen(function* () {
            if (next !== undefined) {
              yield* Effect.mapError(Spending.check(ctx), (cause) => new AgentsUnavailable({ causes: [cause] }))
              yield* ctx.taskAgents.check(unit.id, next)
            }
            const completed = yield* limits.within(ctx)(runUnit.run(own, unit, start))
            yield* activity.complete(position)
            const step = Fold.fold(plan, unit)
            return step._tag === "Ready" ? yield* merge(completed, step.value) : { completed, causes: undefined }
          }).pipe(
            Tracing.traced(Tracing.unit, { attributes: { unit: unit.id } }),
            permit.hold,
            withBegun(head?.agent ?? "")
          )
        }

        let clash: string | undefined
        const start = () =>
          next(
            () => Fold.begin(plan, unit, clash !== undefined),
            (ids) =>
              clash === undefined
                ? Effect.forEach(ids, (id) => activity.awaitDone(positionOf(id)), { discard: true })
                : merged(ids, `: ${clash}`)
          )
        const untilAnswered = awaitAgent((activity) => AnswerWait.until(ctx, unit, activity))
        yield* awaitAgent((activity) => AgentWait.forPerson(ctx, unit, activity))
        yield* untilAnswered
        let begun = yield* start()
        let outcome: Effect.Effect.Success<ReturnType<typeof work>> | undefined
        while (outcome === undefined) {
          outcome = yield* Effect.catchTags(work(begun), {
            AgentsUnavailable: ({ causes }) =>
              Effect.as(
                awaitAgent((activity) => AgentWait.until(ctx, unit, activity, causes)),
                undefined
              ),
            QuestionAsked: () => Effect.as(untilAnswered, undefined),
            TipsUnmergeable: ({ message }) => {
              clash = message
              return Effect.succeed(undefined)
            }
          })
          if (outcome === undefined) begun = yield* start()
        }
        while (outcome !== "merged") {
          const { causes, completed }: MergeWaits = outcome
          if (causes !== undefined) yield* awaitAgent((activity) => AgentWait.until(ctx, unit, activity, causes))
          const onto = yield* next(() => Fold.fold(plan, unit), merged)
          outcome = yield* permit.hold(merge(completed, onto))
        }
      }).pipe(
        Effect.catchTag("UnitBlocked", ({ by }) => block(ctx, unit, by)),
        Effect.catchAll((error) =>
          error._tag === "StoreError" || error._tag === "Superseded" ? error : fail(ctx, unit, error)
        ),
        Effect.zipRight(activity.settle(position)),
        Effect.zipRight(activity.end)
      )

    yield* race.all(units.map(runOne))
  })

/** Waits as long as the model says so. */
const next = <A>(decide: () => Fold.Next<A>, wait: (ids: ReadonlyArray<string>) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    for (;;) {
      const step = decide()
      if (step._tag === "Ready") return step.value
      if (step._tag === "Blocked") return yield* new UnitBlocked({ by: step.by })
      yield* wait(step.for)
    }
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

/** How a unit stands, from its record. */
export const standing = (ctx: unitCommits.Recorded, id: string): Fold.Standing => {
  switch (ctx.progress.unit(id).state) {
    case "merged":
      return "merged"
    case "skipped":
      return "empty"
    case "failed":
    case "blocked":
      return "lost"
    case "pending":
      return "open"
    case "running":
      return unitCommits.tipOf(ctx, id) === undefined ? "open" : "done"
  }
}

const block = ({ emit, progress }: RunContext, { id }: Unit, waitsFor: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    // Nothing fails: a retry continues the task.
    for (const { state, task } of progress.tasksOf(id))
      if (state === "running") yield* progress.changeTask(id, task, { state: "pending" })
    yield* progress.changeUnit(id, { state: "blocked", reason: undefined, endedAt: yield* now })
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
