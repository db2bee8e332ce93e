/**
 * The schedules of the in-memory store.
 */
import { DateTime, Effect, Either, Order } from "effect"
import { ScheduleNotFound } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import { position } from "../../domain/Schedule.js"
import type { ScheduleName, ScheduleStore, Ticked } from "../port/ScheduleStore.js"
import type { ProducerStore } from "../port/ProducerStore.js"
import type { NewRun } from "../port/RunWrites.js"
import { keyOf, makeServing, overlapping, type Recorded, refused, shown } from "../rules/scheduling.js"

const byName = Order.combine(
  Order.mapInput(Order.string, ({ kind }: ScheduleName) => kind),
  Order.mapInput(Order.string, ({ name }: ScheduleName) => name)
)

export const make = ({
  statusOf,
  submit,
  write
}: {
  readonly statusOf: (id: JobId) => RunStatus | undefined
  readonly submit: ProducerStore["submit"]
  readonly write: <A, E>(body: () => Effect.Effect<A, E>) => Effect.Effect<A, E>
}): ScheduleStore => {
  const rows = new Map<string, Recorded>()
  const { isServed, ...serving } = makeServing()

  const change = (schedule: ScheduleName, to: (row: Recorded) => Recorded) =>
    Effect.suspend(() => {
      const row = rows.get(keyOf(schedule))
      if (row === undefined) return new ScheduleNotFound({ kind: schedule.kind, schedule: schedule.name })
      return Effect.sync(() => void rows.set(keyOf(schedule), to(row)))
    })

  /** Records the run of a tick, unless the last run, if that counts, is not over; otherwise why there is none. */
  const begun = (run: NewRun | string, last: JobId | undefined): Effect.Effect<Either.Either<JobId, string>> => {
    if (typeof run === "string") return Effect.succeed(Either.left(run))
    const status = last && statusOf(last)
    return last === undefined || status === undefined || isTerminal(status)
      ? Effect.either(Effect.mapError(submit(run), ({ message }) => message))
      : Effect.succeed(Either.left(overlapping({ id: last, status })))
  }

  return {
    ...serving,

    register: ({ at, definition, kind, name }) =>
      Effect.sync(() => {
        const row = rows.get(keyOf({ kind, name }))
        if (row?.definition === definition) return position(row)
        const changed: Recorded =
          row === undefined
            ? { kind, name, definition, since: at, skipped: 0 }
            : { ...row, definition, since: DateTime.max(row.since, at) }
        rows.set(keyOf(changed), changed)
        return position(changed)
      }),

    tick: ({ run, skipsOverlap, tick, ...schedule }) =>
      write(() =>
        Effect.gen(function* () {
          const row = rows.get(keyOf(schedule))
          const isOurs = row?.definition === schedule.definition && row.pausedAt === undefined
          if (!isOurs || DateTime.lessThanOrEqualTo(tick, position(row))) return refused(row, schedule)
          const started = yield* begun(run, skipsOverlap ? row.lastRun : undefined)
          rows.set(
            keyOf(row),
            Either.match(started, {
              onLeft: (skippedReason) => ({
                ...row,
                lastTick: tick,
                skipped: row.skipped + 1,
                skippedTick: tick,
                skippedReason
              }),
              onRight: (lastRun) => ({ ...row, lastTick: tick, lastRun })
            })
          )
          return Either.match(started, {
            onLeft: (reason): Ticked => ({ _tag: "Skipped", reason }),
            onRight: (id): Ticked => ({ _tag: "Started", id })
          })
        })
      ),

    reset: ({ from, to, ...schedule }) =>
      Effect.sync(() => {
        const row = rows.get(keyOf(schedule))
        if (row === undefined) return to
        if (row.definition !== schedule.definition || !DateTime.Equivalence(position(row), from)) return position(row)
        const reset: Recorded = {
          ...row,
          since: DateTime.min(row.since, to),
          lastTick: row.lastTick && DateTime.min(row.lastTick, to),
          resetAt: to,
          resetFrom: from
        }
        rows.set(keyOf(row), reset)
        return position(reset)
      }),

    list: Effect.sync(() => [...rows.values()].sort(byName).map((row) => shown(row, isServed(row)))),

    pause: ({ at, by, ...schedule }) =>
      change(schedule, (row) => (row.pausedAt === undefined ? { ...row, pausedAt: at, pausedBy: by } : row)),

    unpause: ({ at, ...schedule }) =>
      change(schedule, (row) =>
        row.pausedAt === undefined
          ? row
          : { ...row, since: DateTime.max(row.since, at), pausedAt: undefined, pausedBy: undefined }
      ),

    remove: (schedule) =>
      Effect.zipRight(
        change(schedule, (row) => row),
        Effect.sync(() => void rows.delete(keyOf(schedule)))
      )
  }
}
