/** Schedules: jobs that are started at the ticks of a cron expression, exactly one for each. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type errors, JobKind, Runs, RunStore } from "charlotte"
import {
  Array,
  type Clock,
  Context,
  DateTime,
  Deferred,
  Duration,
  Effect,
  Exit,
  Layer,
  Logger,
  LogLevel,
  Option,
  Queue,
  Ref,
  Schema,
  Scope,
  TestClock
} from "effect"
import * as CronTicks from "../../src/domain/CronTicks.js"
import type { Schedule } from "../../src/domain/Schedule.js"
import { RealClock } from "../../src/internal/RealClock.js"
import { clockOf } from "../support/clockOf.js"
import { databaseFile } from "./lives.js"

class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ for: Schema.String }),
  success: Schema.Void,
  maxQueued: 3
}) {}

const utc = (text: string) => DateTime.unsafeMake(text)

const berlin = { cron: "0 2 * * *", timeZone: "Europe/Berlin" } as const

const perTick = (tick: DateTime.Utc) => ({ for: DateTime.formatIso(tick).slice(0, 16) })

/** Skipped ticks are lines of the log. */
const quiet = Logger.withMinimumLogLevel(LogLevel.None)

/** Reads until the condition holds, with a turn of the event loop between two reads: no time of the test passes. */
const poll = <A, E, R>(read: Effect.Effect<A, E, R>, { until }: { readonly until: (value: A) => boolean }) =>
  Effect.flatMap(RealClock, ({ turn }) => {
    const next: Effect.Effect<A, E, R> = Effect.zipRight(turn, read)
    return Effect.repeat(next, { until })
  })

const at = (text: string) => TestClock.setTime(utc(text).epochMillis)

const schedule: Effect.Effect<Schedule, errors.StoreError, RunStore.RunStore> = Effect.flatMap(
  RunStore.RunStore,
  ({ schedules }) =>
    Effect.flatMap(schedules.list, ([first]) =>
      first === undefined ? Effect.dieMessage("no schedule") : Effect.succeed(first)
    )
)

/** Moves the clock to a tick, or beyond it, and waits until it is recorded. */
const ticked = (text: string, tick = text) =>
  Effect.zipRight(
    at(text),
    poll(schedule, {
      until: ({ lastTick }) => lastTick !== undefined && DateTime.greaterThanOrEqualTo(lastTick, utc(tick))
    })
  )

/** Ticks at each of these times; the clock is set to them. */
const tickedAt = (times: ReadonlyArray<string>) => Effect.forEach(times, (time) => ticked(time), { discard: true })

const runsOf = (kind: string) => Effect.flatMap(RunStore.RunStore, ({ list }) => list({ kind, limit: 1_000 }))

const runs = runsOf("email")

/** What the jobs are for, oldest first. */
const started = Effect.map(runs, (all) =>
  all.map(({ config }) => Schema.decodeUnknownSync(Email.config)(config).for).reverse()
)

const ended = poll(runs, {
  until: (all) => all.every(({ status }) => status === "completed")
})

/** Ticks at each of these times, each after the job of the one before has ended. */
const ranAt = (times: ReadonlyArray<string>) =>
  Effect.forEach(times, (time) => Effect.zipRight(ticked(time), ended), { discard: true })

/** Waits until the job of that tick has a status. */
const has = (tick: string, status: string) =>
  poll(runs, {
    until: (all) =>
      all.some((run) => run.status === status && Schema.decodeUnknownSync(Email.config)(run.config).for === tick)
  })

/** A manager and a schedule on a store, and what ends them. */
const opened = (
  options: Partial<JobKind.ScheduleOptions<typeof Email.config.Encoded>> = {},
  kind: Layer.Layer<Email, errors.StoreError | errors.AlreadyManaged, RunStore.RunStore> = Email.layer({
    run: () => Effect.void
  })
) =>
  Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const layer = Email.schedule("nightly", { ...berlin, config: perTick, ...options }).pipe(Layer.provideMerge(kind))
    const services = yield* Layer.buildWithScope(layer, scope)
    return { services, close: Scope.close(scope, Exit.void) }
  })

const stored = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

describe("a schedule", () => {
  it.scoped(
    "starts a job at each tick, with its configuration, priority and labels, and says so in its first event",
    () =>
      Effect.gen(function* () {
        yield* at("2026-03-27T12:00Z")
        yield* opened({ priority: 5, labels: { team: "ops" } })
        expect(yield* runs).toEqual([])
        yield* ranAt(["2026-03-28T01:00Z", "2026-03-29T01:00Z", "2026-03-30T00:00Z"])
        const all = yield* runs
        expect(yield* started).toEqual(["2026-03-28T01:00", "2026-03-29T01:00", "2026-03-30T00:00"])
        const [last] = all
        expect(last).toMatchObject({ priority: 5, labels: { team: "ops", schedule: "nightly" } })
        const { lifecycle } = yield* RunStore.RunStore
        const [queued] = last === undefined ? [] : yield* lifecycle(last.id)
        expect(queued).toMatchObject({ type: "job.queued", payload: { by: "schedule nightly", via: "schedule" } })
        expect(yield* schedule).toMatchObject({ lastRun: last?.id, skipped: 0, isLive: true })
      }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped.each([
    { missed: "once", expected: ["2026-01-05T01:00", "2026-01-06T01:00"], skipped: 0 },
    { missed: "skip", expected: ["2026-01-06T01:00"], skipped: 1 }
  ] as const)(
    "starts jobs for the ticks at which nothing ran it as missed: $missed says",
    ({ expected, missed, skipped }) =>
      Effect.gen(function* () {
        yield* at("2026-01-01T12:00Z")
        yield* Effect.flatMap(opened({ missed }), ({ close }) => close)
        yield* at("2026-01-05T12:00Z")
        yield* opened({ missed })
        yield* ticked("2026-01-05T12:00Z", "2026-01-05T01:00Z")
        yield* ended
        yield* ticked("2026-01-06T01:00Z")
        expect(yield* started).toEqual(expected)
        expect(yield* schedule).toMatchObject({ skipped })
      }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("skips ticks while its last job runs, is parked or is retried, and says why", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      const go = yield* Deferred.make<void>()
      yield* opened(
        {},
        Email.layer({
          retry: { times: 1, delay: { base: "36 hours", max: "36 hours" } },
          run: ({ attempt, park, config }) => {
            if (config.for === "2026-01-02T01:00") return Deferred.await(go)
            if (config.for === "2026-01-04T01:00" && attempt === 1)
              return Effect.flatMap(DateTime.now, (now) =>
                park({ reason: "waits", until: DateTime.add(now, { hours: 36 }) })
              )
            return config.for === "2026-01-06T01:00" && attempt === 1 ? Effect.fail("no") : Effect.void
          }
        })
      )
      yield* tickedAt(["2026-01-02T01:00Z"])
      yield* has("2026-01-02T01:00", "running")
      yield* tickedAt(["2026-01-03T01:00Z"])
      expect((yield* schedule).lastSkipped?.reason).toMatch(/^its last job .* is running$/)
      yield* Deferred.succeed(go, undefined)
      yield* has("2026-01-02T01:00", "completed")
      for (const day of [4, 6]) {
        const next = day + 1
        yield* tickedAt([`2026-01-0${day}T01:00Z`])
        yield* has(`2026-01-0${day}T01:00`, "parked")
        yield* tickedAt([`2026-01-0${next}T01:00Z`])
        expect((yield* schedule).lastSkipped?.reason).toMatch(/^its last job .* is parked$/)
        yield* at(`2026-01-0${next + 1}T00:30Z`)
        yield* has(`2026-01-0${day}T01:00`, "completed")
      }
      yield* ticked("2026-01-08T01:00Z")
      expect(yield* started).toEqual(["02", "04", "06", "08"].map((day) => `2026-01-${day}T01:00`))
      expect(yield* schedule).toMatchObject({ skipped: 3 })
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("with overlap: queue lets its jobs wait for each other", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      const go = yield* Deferred.make<void>()
      yield* opened({ overlap: "queue" }, Email.layer({ run: () => Deferred.await(go) }))
      yield* tickedAt(["2026-01-02T01:00Z"])
      yield* has("2026-01-02T01:00", "running")
      yield* tickedAt(["2026-01-03T01:00Z"])
      yield* poll(runs, { until: ([last]) => last?.waitsFor === "key" })
      yield* Deferred.succeed(go, undefined)
      yield* ended
      expect(yield* schedule).toMatchObject({ skipped: 0 })
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("begins with the next tick after its definition has changed", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      yield* Effect.flatMap(opened(), ({ close }) => close)
      yield* at("2026-01-05T12:00Z")
      yield* opened({ cron: "0 5 * * *" })
      yield* ticked("2026-01-06T04:00Z")
      expect(yield* started).toEqual(["2026-01-06T04:00"])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("queues its jobs while their kind is paused, and skips ticks once the queue is full", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      const { services } = yield* opened({ overlap: "queue" })
      const manager = Context.get(services, Email)
      yield* manager.pause()
      yield* tickedAt(["2026-01-02T01:00Z", "2026-01-03T01:00Z", "2026-01-04T01:00Z", "2026-01-05T01:00Z"])
      expect((yield* runs).map(({ status }) => status)).toEqual(["pending", "pending", "pending"])
      expect(yield* schedule).toMatchObject({ skipped: 1 })
      expect((yield* schedule).lastSkipped?.reason).toContain("queue is full")
      yield* manager.unpause()
      yield* ended
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("skips a tick whose key another job holds, and one whose configuration is invalid by then", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      const go = yield* Deferred.make<void>()
      const { services } = yield* opened(
        {
          key: "mail",
          config: (tick) => {
            if (DateTime.greaterThan(tick, utc("2026-01-03T00:00Z"))) throw new Error("no address")
            return perTick(tick)
          }
        },
        Email.layer({ run: () => Deferred.await(go) })
      )
      const holder = yield* Context.get(services, Email).start({ for: "ann" }, { key: "mail" })
      yield* tickedAt(["2026-01-02T01:00Z"])
      expect((yield* schedule).lastSkipped?.reason).toContain(`job ${holder} already works on mail`)
      yield* tickedAt(["2026-01-03T01:00Z"])
      expect((yield* schedule).lastSkipped?.reason).toBe("its configuration is invalid: no address")
      yield* Deferred.succeed(go, undefined)
      expect(yield* started).toEqual(["ann"])
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("uses the key and the labels that the layer of its kind has", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      const go = yield* Deferred.make<void>()
      const kind = Email.layer({
        key: ({ for: whom }) => whom,
        labels: ({ for: whom }) => ({ whom }),
        run: () => Deferred.await(go)
      })
      const { services } = yield* opened({ config: { for: "ann" } }, kind)
      yield* Context.get(services, Email).start({ for: "ann" })
      yield* tickedAt(["2026-01-02T01:00Z"])
      expect(yield* schedule).toMatchObject({ skipped: 1 })
      yield* Deferred.succeed(go, undefined)
      yield* ended
      yield* tickedAt(["2026-01-03T01:00Z"])
      expect((yield* runs)[0]).toMatchObject({ labels: { whom: "ann", schedule: "nightly" } })
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped(
    "starts exactly one job for each tick, though clocks jump by an hour, runs are pruned and it starts again",
    () =>
      Effect.gen(function* () {
        yield* at("2026-01-01T12:00Z")
        const kind = Email.layer({ run: () => Effect.void, retention: { completed: 0 } })
        const hourly = { cron: "0 * * * *", overlap: "queue" } as const
        const seen = yield* Ref.make<ReadonlyArray<string>>([])
        /** Jobs are pruned while time passes. */
        const seenAt = (time: string) =>
          Effect.flatMap(Effect.zip(ticked(time), Effect.zipRight(ended, started)), ([, all]) =>
            Ref.update(seen, (before) => Array.union(before, all))
          )
        const first = yield* opened(hourly, kind)
        yield* seenAt("2026-01-01T13:00Z")
        yield* at("2026-01-01T12:00Z")
        yield* seenAt("2026-01-01T13:00Z")
        yield* seenAt("2026-01-01T14:00Z")
        yield* first.close
        const { prune } = yield* Runs.Runs
        yield* at("2026-01-01T13:30Z")
        const second = yield* opened(hourly, kind)
        yield* prune()
        yield* at("2026-01-01T14:30Z")
        yield* second.close
        yield* opened(hourly, kind)
        yield* seenAt("2026-01-01T15:00Z")
        yield* seenAt("2026-01-01T16:00Z")
        expect(yield* Ref.get(seen)).toEqual(["13", "14", "15", "16"].map((hour) => `2026-01-01T${hour}:00`))
        const [last] = yield* runs
        expect(last && (yield* schedule).lastRun).toBe(last?.id)
      }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("goes back once its last tick has been ahead of the clock for a minute, and says so", () =>
    Effect.gen(function* () {
      const minutes = yield* Queue.unbounded<Deferred.Deferred<void>>()
      /** Real time passes a minute at a time. */
      const sleep = (millis: number) =>
        millis === 60_000
          ? Effect.flatMap(Deferred.make<void>(), (over) =>
              Effect.zipRight(Queue.offer(minutes, over), Deferred.await(over))
            )
          : Effect.never
      const real = yield* RealClock
      yield* Effect.gen(function* () {
        yield* at("2026-01-04T12:00Z")
        yield* opened()
        yield* ranAt(["2026-01-05T01:00Z"])
        const minute = Effect.flatMap(Queue.take(minutes), (over) => Deferred.succeed(over, undefined))
        // The clock was three days ahead.
        yield* at("2026-01-02T12:00Z")
        yield* Effect.repeatN(minute, 2)
        yield* poll(schedule, { until: ({ lastReset }) => lastReset !== undefined })
        expect(yield* schedule).toMatchObject({
          lastTick: utc("2026-01-02T12:00Z"),
          lastReset: { at: utc("2026-01-02T12:00Z"), from: utc("2026-01-05T01:00Z") }
        })
        yield* ranAt(["2026-01-03T01:00Z"])
        expect(yield* started).toEqual(["2026-01-05T01:00", "2026-01-03T01:00"])
      }).pipe(Effect.provideService(RealClock, { ...real, sleep }))
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )

  it.scoped("starts a job on request, and none while it is paused", () =>
    Effect.gen(function* () {
      yield* at("2026-01-01T12:00Z")
      yield* opened()
      const { schedules } = yield* RunStore.RunStore
      const named = { kind: "email", name: "nightly" }
      yield* schedules.pause({ ...named, at: utc("2026-01-01T12:00Z") })
      const start = yield* Effect.flatten(schedules.served(named))
      const id = yield* start("ann")
      yield* ended
      yield* at("2026-01-02T12:00Z")
      yield* schedules.unpause({ ...named, at: utc("2026-01-02T12:00Z") })
      yield* tickedAt(["2026-01-03T01:00Z"])
      expect((yield* runs).map((run) => run.id)).toHaveLength(2)
      expect(yield* started).toEqual(["2026-01-01T12:00", "2026-01-03T01:00"])
      const { lifecycle } = yield* RunStore.RunStore
      expect((yield* lifecycle(id))[0]).toMatchObject({ payload: { by: "ann", via: "library" } })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("fails with what is wrong with its expression, its time zone or its configuration", () =>
    Effect.gen(function* () {
      const refusal = (options: Parameters<typeof opened>[0]) => Effect.flip(Effect.scoped(opened(options)))
      expect(yield* refusal({ cron: "0 0 30 2 *" })).toMatchObject({
        _tag: "InvalidCron",
        schedule: "nightly",
        issue: "it has no tick"
      })
      expect(yield* refusal({ timeZone: "Europe/Nowhere" })).toMatchObject({ _tag: "InvalidCron" })
      expect(yield* refusal({ priority: 0.5 })).toMatchObject({ _tag: "InvalidJobConfig" })
      expect(yield* refusal({ key: "" })).toMatchObject({ _tag: "InvalidJobConfig" })
      const { schedules } = yield* RunStore.RunStore
      expect(yield* schedules.list).toEqual([])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("schedules of several processes on one SQLite file", () => {
  it.scoped("start one job for each tick, by the definition that was registered last", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      yield* at("2026-01-01T12:00Z")
      /** A process without the manager: only a test double of it, and another connection. */
      const double = Layer.effect(
        Email,
        Effect.map(Email, (manager) => ({ ...manager }))
      )
      yield* Effect.gen(function* () {
        const { services } = yield* opened()
        const beside = (options: Parameters<typeof opened>[0] = {}) =>
          Effect.flatMap(Layer.build(Layer.fresh(stored(filename))), (store) =>
            Effect.provide(opened(options, Layer.provide(double, Layer.succeedContext(services))), store)
          )
        yield* beside()
        yield* beside()
        yield* ranAt(["2026-01-02T01:00Z", "2026-01-03T01:00Z"])
        yield* beside({ cron: "0 3 * * *" })
        yield* ranAt(["2026-01-03T02:00Z", "2026-01-04T02:00Z"])
        expect(yield* started).toEqual(["02T01", "03T01", "03T02", "04T02"].map((time) => `2026-01-${time}:00`))
      }).pipe(Effect.provide(stored(filename)))
    })
  )
})

class Daily extends JobKind.Tag<Daily>()("daily", { config: Schema.Struct({ for: Schema.String }) }) {}

/** A clock that leaps to the end of the next sleep whenever nothing else is to be done, up to a time. */
const leaping = (start: number, end: number): Clock.Clock => {
  let now = start
  let sleepers: ReadonlyArray<{ readonly until: number; readonly wake: () => void }> = []
  let isLeaping = false
  const leap = () => {
    isLeaping = false
    const [next] = [...sleepers].sort((a, b) => a.until - b.until)
    if (next === undefined || next.until > end) return
    sleepers = sleepers.filter((other) => other !== next)
    now = Math.max(now, next.until)
    next.wake()
    prepare()
  }
  const prepare = () => {
    if (!isLeaping) setImmediate(() => setImmediate(leap))
    isLeaping = true
  }
  return clockOf(
    () => now,
    (duration) =>
      Effect.async((resume) => {
        const sleeper = { until: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers = [...sleepers, sleeper]
        prepare()
        return Effect.sync(() => {
          sleepers = sleepers.filter((other) => other !== sleeper)
        })
      })
  )
}

/** A clock that is set by so many milliseconds when its first sleep ends. */
const setAtWaking = (clock: Clock.Clock, millis: number): Clock.Clock => {
  let by = 0
  return clockOf(
    () => clock.unsafeCurrentTimeMillis() + by,
    (duration) => Effect.tap(clock.sleep(duration), () => void (by = millis))
  )
}

describe("a schedule with missed: skip whose clock is set while it sleeps", () => {
  it.live.each([
    ["half an hour before its tick", -1_800_000, ["2027-01-01T02:30:00.000Z"]],
    ["half a minute after its tick", 30_000, ["2027-01-01T02:30:30.000Z"]],
    ["more than a minute after its tick", 61_000, []]
  ] as const)("to %s starts its job between the tick and a minute later, or not at all", ([, millis, expected]) =>
    Effect.gen(function* () {
      const [from, to] = [utc("2027-01-01T00:00Z"), utc("2027-01-02T00:00Z")]
      const options = { cron: "30 2 * * *", timeZone: "UTC", missed: "skip", config: perTick } as const
      yield* poll(schedule, { until: ({ lastTick }) => lastTick !== undefined }).pipe(
        Effect.provide(
          Daily.schedule("nightly", options).pipe(Layer.provideMerge(Daily.layer({ run: () => Effect.void })))
        ),
        Effect.withClock(setAtWaking(leaping(from.epochMillis, to.epochMillis), millis))
      )
      expect((yield* runsOf("daily")).map(({ createdAt }) => DateTime.formatIso(createdAt))).toEqual(expected)
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )
})

/** Each day around the changes of the clock in 2027 and 2028, at half past two, which a change may skip or repeat. */
const aroundChanges = {
  // On 28 March, 31 October, 26 March and 29 October.
  "Europe/Berlin": { cron: "30 2 1-3,24-31 3,4,10,11 *", count: 84 },
  // On 14 March, 7 November, 12 March and 5 November.
  "America/New_York": { cron: "30 2 3-16 3,11 *", count: 56 },
  // On 4 April, 3 October, 2 April and 1 October.
  "Australia/Sydney": { cron: "30 2 1-6,28-31 3,4,9,10 *", count: 76 }
} as const

describe("two years of a schedule", () => {
  it.live.each(Object.entries(aroundChanges))("have a job for each tick in %s", ([timeZone, { count, cron }]) =>
    Effect.gen(function* () {
      const [from, to] = [utc("2027-01-01T00:00Z"), utc("2029-01-01T00:00Z")]
      const options = { cron, timeZone, overlap: "queue", config: perTick } as const
      const ticks = yield* CronTicks.parse(options.cron, timeZone)
      const all = Array.unfold(from, (after) =>
        Option.map(Option.filter(ticks.next(after), DateTime.lessThan(to)), (tick) => [tick, tick])
      )
      expect(all).toHaveLength(count)
      const { list } = yield* RunStore.RunStore
      yield* Effect.gen(function* () {
        yield* poll(schedule, { until: ({ lastTick }) => lastTick?.epochMillis === all.at(-1)?.epochMillis })
        const runs = yield* poll(list({ limit: 1_000 }), {
          until: (runs) => runs.every(({ status }) => status === "completed")
        })
        const started = runs.map(({ config }) => Schema.decodeUnknownSync(Daily.config)(config).for)
        expect(started.reverse()).toEqual(all.map((tick) => perTick(tick).for))
      }).pipe(
        Effect.provide(
          Daily.schedule("nightly", options).pipe(Layer.provideMerge(Daily.layer({ run: () => Effect.void })))
        ),
        Effect.withClock(leaping(from.epochMillis, to.epochMillis))
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
