/**
 * Tracks which units of a job can make progress. Once none can, because all of them wait for their agent or for a person, the job
 * parks.
 */
import { type Array, DateTime, Deferred, Duration, Effect } from "effect"
import type { SpendingLimits } from "../../domain/Cost.js"
import type { StoreError } from "../../domain/errors.js"
import { resumeSignal } from "../../domain/Run.js"
import * as race from "../../internal/race.js"
import type { JobContext, ParkOptions } from "../../manager/Orchestrator.js"

/** Why a unit waits for an agent, or for an answer. */
export interface Wait {
  readonly reason: string
  /** Missing if the unit waits until a person resumes the job. */
  readonly until?: DateTime.Utc
  /** Whether its agent is only tried again at that time, because its reset is unknown. */
  readonly tentative?: boolean
  /** Whether it takes a person to end it, although it is tried again at that time. */
  readonly isForPerson?: boolean
  /** Whether the agent is available again before that time. */
  readonly isOver?: Effect.Effect<boolean, StoreError>
  /** Whether the unit is blocked meanwhile, so that its wait is about to end: then the job does not park. */
  readonly isBlocked?: () => boolean
  /** Returns once the wait is over, even before that time. */
  readonly ended?: Effect.Effect<void, StoreError>
  /** Whether it is for the answer of a person, with or without a time limit. */
  readonly isForAnswer?: boolean
  /** The limits of what the job may spend that it has reached. */
  readonly limits?: SpendingLimits
}

export interface UnitActivity {
  /** Waits until all tasks of the unit at a position are done, or it is settled. */
  readonly awaitDone: (position: number) => Effect.Effect<void>
  /** Waits until the unit at a position is settled. */
  readonly awaitSettled: (position: number) => Effect.Effect<void>
  /** The same, for a fiber that runs beside the unit. */
  readonly settled: (position: number) => Effect.Effect<void>
  /** Marks the unit as done, and wakes the units that wait for that. */
  readonly complete: (position: number) => Effect.Effect<void>
  /** Marks the unit as settled, and wakes the units that wait for it. */
  readonly settle: (position: number) => Effect.Effect<void>
  /** Waits for one of the agents, until the earliest time of the waits, if any has one, or until one of them is over. */
  readonly awaitAgent: (...waits: Array.NonEmptyReadonlyArray<Wait>) => Effect.Effect<void, StoreError>
  /** Marks the unit as ended. */
  readonly end: Effect.Effect<void>
}

interface Latch {
  readonly over: Deferred.Deferred<void>
  isOver: boolean
  waiting: number
}

export const make = (job: Pick<JobContext<unknown>, "park">, units: number): Effect.Effect<UnitActivity> =>
  Effect.gen(function* () {
    const latches = Effect.replicateEffect(
      Effect.map(Deferred.make<void>(), (over): Latch => ({ over, isOver: false, waiting: 0 })),
      units
    )
    const completing = yield* latches
    const settling = yield* latches
    const waits = new Set<Wait>()
    // Settling a unit activates the units that wait for it in one synchronous step: the count never drops in between.
    let active = units

    const canPark = () => active <= 0 && waits.size > 0 && ![...waits].some(({ isBlocked }) => isBlocked?.() === true)

    let isParking = false
    const parkIfIdle = Effect.gen(function* () {
      if (!canPark()) return
      // An agent may be available again since its units last looked.
      if (yield* Effect.orElseSucceed(isAnyOver(waits), () => false)) return
      if (isParking || !canPark()) return
      isParking = true
      return yield* job.park(together([...waits]))
    })

    const idle = Effect.suspend(() => {
      active -= 1
      return parkIfIdle
    })

    const of = (all: ReadonlyArray<Latch>, position: number) => {
      const latch = all[position]
      return latch === undefined ? Effect.dieMessage(`there is no unit ${position}`) : Effect.succeed(latch)
    }

    const wait = (all: ReadonlyArray<Latch>) => (position: number) =>
      Effect.flatMap(of(all, position), (latch) => {
        if (latch.isOver) return Effect.void
        latch.waiting += 1
        return Effect.zipRight(idle, Deferred.await(latch.over))
      })

    const open = (all: ReadonlyArray<Latch>) => (position: number) =>
      Effect.flatMap(of(all, position), (latch) => {
        if (latch.isOver) return Effect.void
        latch.isOver = true
        active += latch.waiting
        return Effect.asVoid(Deferred.succeed(latch.over, undefined))
      })

    return {
      awaitDone: wait(completing),
      awaitSettled: wait(settling),
      settled: (position) => Effect.flatMap(of(settling, position), ({ over }) => Deferred.await(over)),
      complete: open(completing),
      settle: (position) => Effect.zipRight(open(completing)(position), open(settling)(position)),

      awaitAgent: (...own) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            for (const wait of own) waits.add(wait)
            active -= 1
          }),
          () =>
            Effect.gen(function* () {
              yield* parkIfIdle
              const until = earliest(own)?.until
              yield* race.first([
                until === undefined ? Effect.never : sleepUntil(until, isAnyOver(own), parkIfIdle),
                ...own.flatMap(({ ended }) => (ended === undefined ? [] : [ended]))
              ])
            }),
          // Also if the unit is blocked meanwhile.
          () =>
            Effect.sync(() => {
              for (const wait of own) waits.delete(wait)
              active += 1
            })
        ),

      end: idle
    }
  })

interface Until extends Pick<Wait, "tentative"> {
  readonly until: DateTime.Utc
}

/** The earliest time of the waits; none if all are for a person. Of waits until one time, a known reset counts. */
export const earliest = (waits: ReadonlyArray<Wait>): Until | undefined =>
  waits
    .flatMap(({ tentative, until }): ReadonlyArray<Until> =>
      until === undefined ? [] : [{ until, ...(tentative === true && { tentative }) }]
    )
    .sort((a, b) => DateTime.Order(a.until, b.until) || Number(a.tentative ?? false) - Number(b.tentative ?? false))[0]

/** Combines the waits of all units: the earliest time, and a person. */
const together = (waits: ReadonlyArray<Wait>): ParkOptions => {
  const reason = [...new Set(waits.map(({ reason }) => reason))].join("; ")
  const first = earliest(waits)
  const questions = waits.filter(({ isForAnswer }) => isForAnswer === true).length
  const limits = waits.find(({ limits }) => limits !== undefined)?.limits
  const asked = { ...(questions > 0 && { questions }), ...(limits !== undefined && { limits }) }
  if (first === undefined) return { reason, signal: resumeSignal, ...asked }
  const isForPerson =
    questions > 0 || waits.some(({ isForPerson, until }) => isForPerson === true || until === undefined)
  return { reason, ...first, signal: isForPerson ? resumeSignal : undefined, ...asked }
}

const isAnyOver = Effect.exists(({ isOver = Effect.succeed(false) }: Wait) => isOver)

/** Short, since the clock may jump, as after a suspend, and the agent may be available again, as a turn of another unit or job shows. */
const longestSleep = Duration.seconds(4)

/** Returns at a time, or soon after the wait for it is over. */
export const sleepUntil = (
  until: DateTime.Utc,
  isOver: Effect.Effect<boolean, StoreError>,
  parkIfIdle = Effect.void
): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    for (;;) {
      const left = Duration.millis(DateTime.distance(yield* DateTime.now, until))
      if (Duration.lessThanOrEqualTo(left, Duration.zero) || (yield* isOver)) return
      yield* parkIfIdle
      yield* Effect.sleep(Duration.min(left, longestSleep))
    }
  })
