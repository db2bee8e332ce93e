/**
 * All units of a job: as many at the same time as it may, and with the same outcome however many that are.
 *
 * A unit begins at the result as it stood when the last of its dependencies, in the order of the plan, was merged; units are
 * merged in the order of the plan. So what comes out does not depend on which of them was faster.
 */
import { DateTime, Deferred, Effect, Option, Schema } from "effect"
import * as race from "../../internal/race.js"
import * as plainText from "../../internal/plainText.js"
import { ObjectId } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as mergeUnit from "./mergeUnit.js"
import type { Refusal } from "./TaskProgress.js"
import * as runUnit from "./runUnit.js"

/** Returns when each unit is merged, has failed or is blocked. */
export const run = (job: RunContext) =>
  Effect.gen(function* () {
    const { units } = job.submission.plan
    const positions = new Map(units.map(({ id }, position) => [id, position]))
    // The one before the first is settled from the beginning.
    const settled = yield* Effect.forEach([undefined, ...units], () => Deferred.make<void>())
    const upTo = (position: number) => {
      const deferred = settled[position + 1]
      return deferred === undefined ? Effect.dieMessage(`there is no unit ${position}`) : Effect.succeed(deferred)
    }
    const settle = (position: number) =>
      Effect.flatMap(upTo(position), (deferred) => Deferred.succeed(deferred, void 0))
    const wait = (position: number) => Effect.flatMap(upTo(position), Deferred.await)
    const places = yield* Effect.makeSemaphore(job.context.config.concurrency)
    yield* settle(-1)

    const one = (unit: Unit, position: number) =>
      Effect.gen(function* () {
        if (isSettled(job, unit)) return
        const last = Math.max(-1, ...unit.dependsOn.map((id) => positions.get(id) ?? -1))
        yield* wait(last)
        const waitsFor = unit.dependsOn.filter((id) => !isDone(job, id))
        if (waitsFor.length > 0) return yield* block(job, unit, waitsFor)

        const turn = yield* upTo(position - 1)
        const merge = (spot: Effect.Effect.Success<ReturnType<typeof runUnit.run>>) =>
          Effect.flatMap(resultAfter(job, position - 1), (result) =>
            limits.within(job)(mergeUnit.merge(job, unit, spot, result))
          )
        // While it waits for its turn, another unit has its place.
        const waiting = yield* places.withPermits(1)(
          Effect.gen(function* () {
            const spot = yield* limits.within(job)(runUnit.run(job, unit, yield* resultAfter(job, last)))
            if (!(yield* Deferred.isDone(turn))) return Option.some(spot)
            yield* merge(spot)
            return Option.none()
          })
        )
        if (Option.isNone(waiting)) return
        yield* Deferred.await(turn)
        yield* places.withPermits(1)(merge(waiting.value))
      }).pipe(
        Effect.catchAll((error) =>
          error._tag === "StoreError" || error._tag === "Superseded" ? error : fail(job, unit, error)
        ),
        Effect.zipRight(wait(position - 1)),
        Effect.zipRight(settle(position))
      )

    yield* race.all(units.map(one))
  })

const isSettled = ({ progress }: RunContext, { id }: Unit): boolean => {
  const { state } = progress.unit(id)
  return state !== "pending" && state !== "running"
}

const isDone = ({ progress }: RunContext, id: string): boolean => {
  const { state } = progress.unit(id)
  return state === "merged" || state === "skipped"
}

/** The result as it is with the units up to a position. */
export const resultAfter = ({ progress, submission }: RunContext, position: number) => {
  const merged = submission.plan.units
    .slice(0, position + 1)
    .map(({ id }) => progress.unit(id))
    .findLast(({ state }) => state === "merged")
  return merged === undefined ? Effect.succeed(submission.base) : Schema.decodeUnknown(ObjectId)(merged.commit)
}

const block = ({ progress, tell }: RunContext, { id }: Unit, waitsFor: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    yield* progress.changeUnit(id, { state: "blocked", endedAt: yield* DateTime.now })
    yield* tell("unit.blocked", { waitsFor }, { unit: id })
  })

/** What was in the way of a unit; the others go on. */
interface Failure {
  readonly _tag: string
  readonly message: string
  readonly task?: number
}

const fail = (
  { progress, tell }: RunContext,
  { id }: Unit,
  { message: said, task }: Failure
): Effect.Effect<void, Refusal> =>
  Effect.gen(function* () {
    const message = plainText.line(said)
    // One that was at work has not failed by itself, but it did not get to its end either.
    const stopped = progress.tasksOf(id).filter(({ state }) => state === "running")
    for (const { failures, task } of stopped) {
      yield* progress.changeTask(id, task, { state: "failed", reason: message, endedAt: yield* DateTime.now })
      yield* tell("task.failed", { attempts: failures, reason: message }, { unit: id, task })
    }
    yield* progress.changeUnit(id, { state: "failed", reason: message, endedAt: yield* DateTime.now })
    yield* tell("unit.failed", { reason: message, task: task ?? stopped[0]?.task }, { unit: id })
  })
