/**
 * Starts jobs at the ticks of a cron expression, for as long as the scope lives. Each tick is recorded with its run in one transaction, so
 * any number of processes may have the schedule. Between two ticks it makes no query.
 */
import { Cause, DateTime, Duration, Effect, Either, Option, type Schema, type Scope } from "effect"
import * as CronTicks from "../../domain/CronTicks.js"
import { InvalidCron, type InvalidJobConfig, type StoreError } from "../../domain/errors.js"
import * as Sender from "../../domain/Sender.js"
import { request } from "../../domain/StartOptions.js"
import { afterJump } from "../../internal/afterJump.js"
import * as background from "../../internal/background.js"
import { stringify } from "../../internal/Json.js"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import type { NewRun, Ticked } from "../../store/port/RunStoreService.js"
import { RunStore } from "../../store/RunStore.js"
import type { ScheduleOptions } from "../KindDefinition.js"
import * as Admission from "./admission.js"
import * as JobIdGenerator from "./JobIdGenerator.js"
import { newRun, submit, type Submitting, unchecked } from "./submission.js"
import { survivingFailures } from "./survivingFailures.js"

/** What starts the jobs of a schedule. */
export interface Scheduled<C, I, RS> extends Partial<
  Pick<Submitting<C>, "key" | "labels" | "group" | "maxQueued" | "retries">
> {
  readonly kind: string
  readonly config: Schema.Schema<C, I, RS>
  readonly maxBytes?: number
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

/** How long a last tick lies ahead of the clock, and at least how far, before it goes back. */
const aheadFor = Duration.toMillis("1 minute")

/** A tick that is recorded later than this has been missed: the process did not run, or its machine slept. */
const punctual = Duration.minutes(1)

const isComputed = <I>(config: ScheduleOptions<I>["config"]): config is (tick: DateTime.Utc) => I =>
  typeof config === "function"

const computed = <I>(config: ScheduleOptions<I>["config"], tick: DateTime.Utc): Effect.Effect<I> =>
  isComputed(config) ? Effect.sync(() => config(tick)) : Effect.succeed(config)

export const make = <C, I, RS>(
  {
    config: schema,
    group,
    key: keyOf,
    kind,
    labels = () => ({}),
    maxBytes,
    maxQueued = 10_000,
    retries
  }: Scheduled<C, I, RS>,
  name: string,
  options: ScheduleOptions<I>
): Effect.Effect<void, StoreError | InvalidJobConfig | InvalidCron, RunStore | Scope.Scope | RS> =>
  Effect.gen(function* () {
    const { config, cron, key, missed = "once", overlap = "skip", priority, timeZone } = options
    if (!namePattern.test(name)) {
      return yield* Effect.dieMessage(
        `the name of a schedule is a lower-case letter and up to 62 further ones, digits and hyphens, not "${name}"`
      )
    }
    const ticks = yield* Either.mapLeft(
      CronTicks.parse(cron, timeZone),
      (issue) => new InvalidCron({ schedule: name, cron, timeZone, issue })
    )
    const store = yield* RunStore
    const { now, schedules } = store
    const { sleep } = yield* RealClock
    yield* store.outsideTransaction
    const submitting: Submitting<C> = {
      admission: { decode: Admission.decoder(schema, yield* Effect.context<RS>(), maxBytes) },
      nextId: JobIdGenerator.aboveLatest(yield* JobIdGenerator.make, yield* store.latestId),
      labels: (config) => ({ schedule: name, ...labels(config), ...options.labels }),
      key: keyOf,
      group,
      maxQueued,
      retries
    }
    const startOptions = {
      ...(priority === undefined ? {} : { priority }),
      ...(overlap === "queue"
        ? // Without another key, its runs wait for each other by this one.
          { whenKeyTaken: "queue" as const, ...(keyOf === undefined && { key: `charlotte.schedule/${name}` }) }
        : {}),
      ...(key === undefined ? {} : { key })
    }

    /** The run of a tick. A function that throws is a defect. */
    const runOf = (tick: DateTime.Utc, sender: Sender.Sender): Effect.Effect<NewRun, InvalidJobConfig> =>
      Effect.gen(function* () {
        const at = yield* now
        const requested = yield* request(startOptions, { at, hasKey: keyOf !== undefined })
        const id = submitting.nextId(at.epochMillis)
        const encoded = yield* computed(config, tick)
        const submission = yield* submit(submitting, encoded, { id, at, requested, options: startOptions })
        return { ...newRun({ kind }, submitting, submission, { ...unchecked, trace: undefined }), sender }
      })

    const own = { by: `schedule ${name}`, via: "schedule" }
    const begun = yield* now
    // A configuration that is invalid now would start no job at all.
    yield* runOf(
      Option.getOrElse(ticks.next(begun), () => begun),
      own
    )
    const definition = stringify({
      cron,
      timeZone,
      missed,
      overlap,
      ...(isComputed(config) ? {} : { config }),
      key,
      priority,
      labels: options.labels
    })
    const schedule = { kind, name, definition }
    let position = yield* schedules.register({ ...schedule, at: begun })
    yield* schedules.serve(schedule, (by = own.by) =>
      Effect.zipWith(now, Sender.current(by), runOf).pipe(
        Effect.flatten,
        Effect.flatMap(store.producers.submit),
        Effect.catchTag("IdempotencyKeyReused", Effect.die)
      )
    )

    /** The run of a tick, or why it has none. */
    const due = (tick: DateTime.Utc, at: DateTime.Utc) =>
      missed === "skip" &&
      (DateTime.lessThan(tick, begun) || DateTime.greaterThan(at, DateTime.addDuration(tick, punctual)))
        ? Effect.succeed("it was missed: nothing ran the schedule at that time")
        : Effect.catchAllCause(runOf(tick, own), (cause) =>
            Cause.isInterrupted(cause) ? Effect.interrupt : Effect.succeed(reasonOf(cause))
          )

    /** Returns once the last tick lies far ahead: the clock was ahead when it was recorded, and no tick would be due until then. */
    const untilWrong = (next: DateTime.Utc): Effect.Effect<void> => {
      const period = Option.match(ticks.next(next), {
        onNone: () => 0,
        onSome: (then) => DateTime.distance(next, then)
      })
      const isAhead = Effect.map(now, (at) => DateTime.distance(at, position) > Math.max(aheadFor, period))
      const check = Effect.zipRight(sleep(aheadFor), isAhead)
      return Effect.repeat(
        Effect.zipWith(isAhead, check, (before, after) => before && after),
        {
          until: (isWrong) => isWrong
        }
      )
    }
    const goBack = Effect.gen(function* () {
      const [from, to] = [position, yield* now]
      position = yield* schedules.reset({ ...schedule, from, to })
      yield* Effect.logWarning(
        `the last tick was recorded for ${DateTime.formatIso(from)}, by a clock that was ahead: ticks count from ${DateTime.formatIso(position)} on`
      )
    })

    const run = Effect.gen(function* () {
      const next = ticks.next(position)
      if (Option.isNone(next)) return yield* Effect.never
      const isDue = yield* race.first([
        Effect.as(untilTime(next.value.epochMillis, now), true),
        Effect.as(untilWrong(next.value), false)
      ])
      if (!isDue) return yield* goBack
      const at = yield* now
      // The clock was set back meanwhile.
      if (DateTime.lessThan(at, next.value)) return
      const tick = Option.getOrElse(ticks.latest({ after: position, until: at }), () => next.value)
      const ticked = yield* schedules.tick({
        ...schedule,
        tick,
        run: yield* due(tick, at),
        skipsOverlap: overlap === "skip"
      })
      position = tick
      yield* logged(tick, ticked)
    }).pipe(survivingFailures("a tick could not be recorded yet"), Effect.forever)
    yield* background.fork(Effect.annotateLogs(run, { module: "Schedule", kind, schedule: name }))
  })

const untilTime = (time: number, now: Effect.Effect<DateTime.Utc>): Effect.Effect<void> =>
  Effect.flatMap(now, ({ epochMillis }) =>
    time <= epochMillis ? Effect.void : race.first([Effect.sleep(time - epochMillis), afterJump(time, now)])
  )

const reasonOf = (cause: Cause.Cause<InvalidJobConfig>): string => {
  const error = Cause.squash(cause)
  return `its configuration is invalid: ${error instanceof Error ? error.message : String(error)}`
}

const logged = (tick: DateTime.Utc, ticked: Ticked): Effect.Effect<void> => {
  const shown = `the tick at ${DateTime.formatIso(tick)}`
  if (ticked._tag === "Skipped") return Effect.logWarning(`${shown} is skipped: ${ticked.reason}`)
  return ticked._tag === "Refused" && ticked.why === "changed"
    ? Effect.logInfo(`${shown} starts no job here: the schedule was removed, or registered with another definition`)
    : Effect.void
}
