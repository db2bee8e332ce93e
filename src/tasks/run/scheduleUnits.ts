/**
 * Runs the units of a job with bounded concurrency and a deterministic result.
 *
 * A unit starts at the result as of the merge of its last dependency in plan order, and units are merged in plan order. So the
 * result depends neither on the concurrency nor on how long each unit takes.
 */
import { Deferred, Effect, Option, Schema } from "effect"
import { now } from "../../internal/now.js"
import * as race from "../../internal/race.js"
import * as plainText from "../../internal/plainText.js"
import { ObjectId } from "../../git/RefNames.js"
import type { Unit } from "../plan/Plan.js"
import * as limits from "./limits.js"
import type { RunContext } from "./RunContext.js"
import * as mergeUnit from "./mergeUnit.js"
import type { WriteError } from "./TaskProgress.js"
import * as runUnit from "./runUnit.js"

/** Returns once each unit is merged, failed or blocked. */
export const run = (ctx: RunContext) =>
  Effect.gen(function* () {
    const { units } = ctx.snapshot.plan
    const positions = new Map(units.map(({ id }, position) => [id, position]))
    // Index 0 stands for the position before the first unit, which is settled from the start.
    const settled = yield* Effect.forEach([undefined, ...units], () => Deferred.make<void>())
    const settledUpTo = (position: number) => {
      const deferred = settled[position + 1]
      return deferred === undefined ? Effect.dieMessage(`there is no unit ${position}`) : Effect.succeed(deferred)
    }
    const settle = (position: number) =>
      Effect.flatMap(settledUpTo(position), (deferred) => Deferred.succeed(deferred, void 0))
    const wait = (position: number) => Effect.flatMap(settledUpTo(position), Deferred.await)
    const permits = yield* Effect.makeSemaphore(ctx.job.config.concurrency)
    yield* settle(-1)

    const runOne = (unit: Unit, position: number) =>
      Effect.gen(function* () {
        if (isSettled(ctx, unit)) return
        const last = Math.max(-1, ...unit.dependsOn.map((id) => positions.get(id) ?? -1))
        yield* wait(last)
        const waitsFor = unit.dependsOn.filter((id) => !isDone(ctx, id))
        if (waitsFor.length > 0) return yield* block(ctx, unit, waitsFor)

        const turn = yield* settledUpTo(position - 1)
        const merge = (completed: Effect.Effect.Success<ReturnType<typeof runUnit.run>>) =>
          Effect.flatMap(resultAfter(ctx, position - 1), (result) =>
            limits.within(ctx)(mergeUnit.merge(ctx, unit, completed, result))
          )
        // A unit that waits to be merged releases its permit to another one.
        const waiting = yield* permits.withPermits(1)(
          Effect.gen(function* () {
            const completed = yield* limits.within(ctx)(runUnit.run(ctx, unit, yield* resultAfter(ctx, last)))
            if (!(yield* Deferred.isDone(turn))) return Option.some(completed)
            yield* merge(completed)
            return Option.none()
          })
        )
        if (Option.isNone(waiting)) return
        yield* Deferred.await(turn)
        yield* permits.withPermits(1)(merge(waiting.value))
      }).pipe(
        Effect.catchAll((error) =>
          error._tag === "StoreError" || error._tag === "Superseded" ? error : fail(ctx, unit, error)
        ),
        Effect.zipRight(wait(position - 1)),
        Effect.zipRight(settle(position))
      )

    yield* race.all(units.map(runOne))
  })

const isSettled = ({ progress }: RunContext, { id }: Unit): boolean => {
  const { state } = progress.unit(id)
  return state !== "pending" && state !== "running"
}

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
