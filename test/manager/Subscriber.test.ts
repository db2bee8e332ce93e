/** A subscriber handles every event at least once, and in order. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, JobKind, RunStore, Subscriber } from "charlotte"
import { Deferred, Effect, Exit, Layer, Logger, LogLevel, Queue, Ref, Schema, Scope, TestClock } from "effect"
import { StoreError } from "../../src/domain/errors.js"
import { poll, RealClock } from "../../src/internal/RealClock.js"
import { databaseFile } from "./lives.js"
import { whileTimePasses } from "./timePassing.js"

class Note extends JobKind.Tag<Note>()("note", { config: Schema.Struct({ text: Schema.String }) }) {}
class Other extends JobKind.Tag<Other>()("other", { config: Schema.Struct({}) }) {}

const kinds = Layer.mergeAll(
  Note.layer({
    maxJobs: 100,
    run: ({ config: { text }, emit }) =>
      Effect.zipRight(emit({ type: "note.written", payload: text }), Effect.succeed(1))
  }),
  Other.layer({ run: () => Effect.void })
)

/** Writes a note, and returns the id of its job. */
const noted = (text = "") =>
  Effect.gen(function* () {
    const notes = yield* Note
    const id = yield* notes.start({ text })
    yield* notes.await(id)
    return id
  })

const shown = (received: Subscriber.Received): string =>
  received._tag === "Gap" ? `gap ${received.from}-${received.to}` : `${received.kind} ${received.event.type}`

const textOf = (received: Subscriber.Received): unknown =>
  received._tag === "Gap" ? received._tag : received.event.payload

const written = { types: ["note.written"], from: "start" } as const

/** Builds a subscriber, which lives until the scope of the test or that one closes. */
const subscribed = (...[name, options, handler]: Parameters<typeof Subscriber.layer<never>>) =>
  Layer.build(Subscriber.layer(name, options, handler))

/** A subscriber that closes when the effect ends. */
const during = <A, E, R>(use: Effect.Effect<A, E, R>, ...subscriber: Parameters<typeof subscribed>) =>
  Effect.scoped(Effect.zipRight(subscribed(...subscriber), use))

const recordOf = (name: string) =>
  Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
    Effect.flatMap(subscribers.list, (all) => Effect.fromNullable(all.find((one) => one.name === name)))
  )

/** Waits until the record of a subscriber is so. */
const until = (name: string, is: (record: Effect.Effect.Success<ReturnType<typeof recordOf>>) => boolean) =>
  poll(recordOf(name), { until: is, pause: 5, atMost: "60 seconds" }).pipe(
    Effect.tap((record) => expect(is(record), JSON.stringify(record)).toBe(true))
  )

const caughtUp = (name: string) => until(name, ({ behind }) => behind === 0)

const quiet = Logger.withMinimumLogLevel(LogLevel.None)

const here = Effect.provide(Layer.provideMerge(kinds, RunStore.layerMemory))

describe("a subscriber", () => {
  it.scoped("gets every event of its kinds and types in order, with the kind of its job", () =>
    Effect.gen(function* () {
      const [all, some] = [yield* Queue.unbounded<string>(), yield* Queue.unbounded<string>()]
      yield* noted()
      yield* subscribed("all", { from: "start" }, (received) => Queue.offer(all, shown(received)))
      yield* subscribed("some", { from: "now", kinds: [Note, "x"], types: ["job.completed"] }, (received) =>
        Queue.offer(some, shown(received))
      )
      const other = yield* Other
      yield* other.await(yield* other.start({}))
      yield* noted()
      const note = ["note job.started", "note note.written", "note job.completed"]
      expect([...(yield* Queue.takeN(all, 8))]).toEqual([...note, "other job.started", "other job.completed", ...note])
      expect(yield* Queue.take(some)).toBe("note job.completed")
      yield* caughtUp("all")
      yield* caughtUp("some")
      expect(yield* Queue.size(all)).toBe(0)
      expect(yield* Queue.size(some)).toBe(0)
    }).pipe(here)
  )

  it.scoped("continues after the last event that it has handled", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<unknown>()
      const handler = (received: Subscriber.Received) => Queue.offer(seen, textOf(received))
      for (const text of ["a", "b"]) yield* noted(text)
      yield* during(Queue.takeN(seen, 2), "s", written, handler)
      yield* noted("c")
      yield* during(
        Effect.gen(function* () {
          yield* noted("d")
          expect([...(yield* Queue.takeN(seen, 2))]).toEqual(["c", "d"])
          yield* caughtUp("s")
        }),
        "s",
        { ...written, from: "now" },
        handler
      )
      expect(yield* Queue.size(seen)).toBe(0)
    }).pipe(here)
  )

  it.scoped("does not move its cursor past an event before its handler has ended", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<unknown>()
      const begun = yield* Deferred.make<void>()
      for (const text of ["a", "b", "c"]) yield* noted(text)
      const handler = (received: Subscriber.Received) =>
        textOf(received) === "b"
          ? Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
          : Queue.offer(seen, textOf(received))
      const cursorOf = Effect.map(recordOf("s"), ({ cursor }) => cursor)
      yield* during(Deferred.await(begun), "s", { ...written, concurrency: 3 }, handler)
      const cursor = yield* cursorOf
      const { subscribers } = yield* RunStore.RunStore
      const { deliveries } = yield* subscribers.deliveries({ ...written, after: cursor, limit: 10 })
      expect(deliveries.map(({ event }) => event.payload).slice(-2)).toEqual(["b", "c"])
      yield* Queue.takeAll(seen)
      yield* during(caughtUp("s"), "s", written, (received) => Queue.offer(seen, textOf(received)))
      expect([...(yield* Queue.takeAll(seen))].slice(-2)).toEqual(["b", "c"])
    }).pipe(here)
  )

  it.scoped("is live once on a store", () =>
    Effect.gen(function* () {
      yield* subscribed("s", written, () => Effect.void)
      const second = yield* Effect.either(Effect.scoped(subscribed("s", written, () => Effect.void)))
      expect(second).toMatchObject({ left: { _tag: "AlreadySubscribed", subscriber: "s" } })
      const [named, narrow] = [["A b", {}] as const, ["t", { concurrency: 0 }] as const]
      for (const [name, options] of [named, narrow]) {
        const exit = yield* Effect.exit(Effect.scoped(subscribed(name, { ...written, ...options }, () => Effect.void)))
        expect(Exit.isFailure(exit)).toBe(true)
      }
    }).pipe(here)
  )

  it.scoped("tries a handler that fails again with pauses, in order, until it succeeds", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<unknown>()
      const failures = yield* Ref.make(0)
      for (const text of ["a", "b"]) yield* noted(text)
      yield* subscribed("s", written, (received) =>
        Effect.gen(function* () {
          yield* Queue.offer(seen, textOf(received))
          if ((yield* Ref.getAndUpdate(failures, (n) => n + 1)) < 3) return yield* Effect.fail("no")
        })
      )
      expect(yield* Queue.take(seen)).toBe("a")
      const failing = yield* until("s", ({ failing }) => failing === 1)
      expect(failing).toMatchObject({ aside: 0, undelivered: [{ type: "note.written", isAside: false }] })
      expect(failing.undelivered[0]?.error).toContain("no")
      const rest = yield* whileTimePasses(Queue.takeN(seen, 4))
      expect([...rest]).toEqual(["a", "a", "a", "b"])
      expect(yield* caughtUp("s")).toMatchObject({ failing: 0, aside: 0, undelivered: [] })
    }).pipe(quiet, here)
  )

  it.scoped("puts an event aside when its handler has failed for too long, and gets it again by hand", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<unknown>()
      const isFixed = yield* Ref.make(false)
      for (const text of ["bad", "good"]) yield* noted(text)
      yield* subscribed("s", { ...written, giveUp: "1 hour" }, (received) =>
        Effect.gen(function* () {
          const text = textOf(received)
          if (text === "bad" && !(yield* Ref.get(isFixed))) return yield* Effect.die("it is broken")
          yield* Queue.offer(seen, text)
        })
      )
      const since = yield* TestClock.currentTimeMillis
      expect(yield* whileTimePasses(Queue.take(seen))).toBe("good")
      expect((yield* TestClock.currentTimeMillis) - since).toBeGreaterThanOrEqual(3_600_000)
      const aside = yield* caughtUp("s")
      expect(aside).toMatchObject({ failing: 0, aside: 1, undelivered: [{ isAside: true }] })
      expect(aside.undelivered[0]?.error).toContain("it is broken")
      yield* Ref.set(isFixed, true)
      const { subscribers } = yield* RunStore.RunStore
      expect(yield* subscribers.retry({ name: "s", at: aside.movedAt })).toBe(1)
      expect(yield* Queue.take(seen)).toBe("bad")
      yield* until("s", ({ undelivered }) => undelivered.length === 0)
    }).pipe(quiet, here)
  )

  it.scoped("counts the time of a failing handler over its instances, and does not repeat what is put aside", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<unknown>()
      for (const text of ["bad", "good"]) yield* noted(text)
      const handler = (received: Subscriber.Received) =>
        textOf(received) === "bad"
          ? Effect.zipRight(Queue.offer(seen, "bad"), Effect.fail("no"))
          : Queue.offer(seen, textOf(received))
      const options = { ...written, giveUp: "1 hour" } as const
      yield* during(
        until("s", ({ failing }) => failing === 1),
        "s",
        options,
        handler
      )
      yield* TestClock.adjust("2 hours")
      yield* Queue.takeAll(seen)
      yield* during(caughtUp("s"), "s", options, handler)
      expect([...(yield* Queue.takeAll(seen))]).toEqual(["bad", "good"])
      yield* noted("more")
      yield* during(caughtUp("s"), "s", options, handler)
      expect([...(yield* Queue.takeAll(seen))]).toEqual(["more"])
      expect(yield* recordOf("s")).toMatchObject({ aside: 1 })
    }).pipe(quiet, here)
  )

  it.scoped("holds up only the job whose handler fails if it handles several events at once", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<string>()
      const bad = yield* noted("bad")
      const fail = yield* Ref.make(true)
      yield* subscribed("s", { kinds: [Note], from: "start", concurrency: 4 }, (received) =>
        Effect.gen(function* () {
          if (received._tag === "Gap") return
          const { jobId, type } = received.event
          if (jobId === bad && (yield* Ref.get(fail))) return yield* Effect.fail("no")
          yield* Queue.offer(seen, `${jobId} ${type}`)
        })
      )
      const good = yield* Effect.replicateEffect(noted(), 20)
      const of = (id: JobId.JobId) => ["job.started", "note.written", "job.completed"].map((type) => `${id} ${type}`)
      const handled = [...(yield* Queue.takeN(seen, 60))]
      for (const id of good) expect(handled.filter((line) => line.startsWith(id))).toEqual(of(id))
      yield* Ref.set(fail, false)
      expect([...(yield* whileTimePasses(Queue.takeN(seen, 3)))]).toEqual(of(bad))
      yield* caughtUp("s")
      expect(yield* Queue.size(seen)).toBe(0)
    }).pipe(quiet, here)
  )

  it.scoped("learns of the events whose runs were pruned after the hold, once, and then gets the others", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<string>()
      const store = yield* RunStore.RunStore
      const handler = (received: Subscriber.Received) => Queue.offer(seen, shown(received))
      const options = { kinds: [Note], from: "start", hold: "1 day" } as const
      yield* during(Effect.void, "s", options, handler)
      yield* store.retain({ kind: "note", retention: { completed: 0 }, forget: () => Effect.void })
      yield* noted()
      yield* TestClock.adjust("23 hours")
      expect(yield* store.prune({ kind: "note" })).toEqual([])
      yield* TestClock.adjust("1 hour")
      expect(yield* store.prune({ kind: "note" })).toMatchObject([{ runs: 1 }])
      yield* noted()
      yield* during(caughtUp("s"), "s", options, handler)
      expect([...(yield* Queue.takeAll(seen))]).toEqual([
        "gap 1-3",
        "note job.started",
        "note note.written",
        "note job.completed"
      ])
      yield* during(caughtUp("s"), "s", options, handler)
      expect(yield* Queue.size(seen)).toBe(0)
    }).pipe(here)
  )

  it.scoped("begins again as a new one when it was removed", () =>
    Effect.gen(function* () {
      const seen = yield* Queue.unbounded<unknown>()
      const handler = (received: Subscriber.Received) => Queue.offer(seen, textOf(received))
      yield* noted("a")
      const { subscribers } = yield* RunStore.RunStore
      yield* during(
        Effect.gen(function* () {
          yield* caughtUp("s")
          expect(yield* Effect.flip(subscribers.remove("s"))).toMatchObject({ _tag: "SubscriberInUse" })
        }),
        "s",
        written,
        handler
      )
      yield* subscribers.remove("s")
      yield* during(caughtUp("s"), "s", written, handler)
      expect([...(yield* Queue.takeAll(seen))]).toEqual(["a", "a"])
    }).pipe(here)
  )
})

describe("subscribers of one name on two connections to a database", () => {
  it.scoped("stand by for the live one, and continue where it has ended", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const stored = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))
      const seen = yield* Queue.unbounded<string>()
      const instance = (of: string) =>
        Subscriber.layer("s", written, (received) => Queue.offer(seen, `${of} ${String(textOf(received))}`))
      const first = yield* Scope.make()
      yield* Layer.buildWithScope(Layer.provide(instance("first"), stored), first)
      const manager = yield* Layer.build(Layer.provideMerge(kinds, stored))
      yield* Effect.provide(noted("a"), manager)
      expect(yield* Queue.take(seen)).toBe("first a")
      yield* Layer.build(Layer.provide(instance("second"), stored))
      yield* Effect.provide(noted("b"), manager)
      expect(yield* Queue.take(seen)).toBe("first b")
      yield* Scope.close(first, Exit.void)
      yield* Effect.provide(noted("c"), manager)
      expect(yield* Queue.take(seen)).toBe("second c")
      expect(yield* Queue.size(seen)).toBe(0)
    })
  )
})

describe("a subscriber that cannot begin", () => {
  it.scoped("logs why", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const cause = new Error("connect ECONNREFUSED")
      const refused = new StoreError({ operation: "lock a subscriber", reason: "unreachable", cause })
      const subscribers = { ...store.subscribers, tryLock: () => Effect.fail(refused) }
      const logged = yield* Queue.unbounded<string>()
      const logger = Logger.map(Logger.jsonLogger, (line) => void logged.unsafeOffer(line))
      yield* Layer.build(Subscriber.layer("s", written, () => Effect.void)).pipe(
        Effect.provideService(RunStore.RunStore, { ...store, subscribers }),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      const line = yield* Queue.take(logged)
      expect(line).toContain("the subscriber cannot begin yet")
      expect(line).toContain("store: lock a subscriber failed (unreachable): connect ECONNREFUSED")
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("a subscriber that stands by", () => {
  it.scoped("writes nothing, unless it was removed", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { register, remove } = store.subscribers
      const registered = yield* Ref.make(0)
      const tries = yield* Queue.bounded<number>(1)
      const subscribers = {
        ...store.subscribers,
        register: (...all: Parameters<typeof register>) =>
          Effect.zipRight(
            Ref.update(registered, (n) => n + 1),
            register(...all)
          ),
        tryLock: () => Effect.succeedNone
      }
      const clock = yield* RealClock
      yield* subscribed("s", written, () => Effect.void).pipe(
        Effect.provideService(RunStore.RunStore, { ...store, subscribers }),
        Effect.provideService(RealClock, { ...clock, sleep: (millis) => Queue.offer(tries, millis) })
      )
      yield* Queue.takeN(tries, 3)
      expect(yield* Ref.get(registered)).toBe(1)
      yield* remove("s")
      yield* Queue.takeN(tries, 3)
      expect(yield* Ref.get(registered)).toBe(2)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("a subscriber whose handler is slow", () => {
  it.scoped("reads no further than 4 MiB ahead", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      const { turn } = yield* RealClock
      const reads = yield* Queue.unbounded<number>()
      const isOpen = yield* Effect.makeLatch()
      for (const text of ["a", "b"]) yield* noted(text)
      const subscribers: typeof store.subscribers = {
        ...store.subscribers,
        deliveries: (query) =>
          store.subscribers.deliveries({ ...query, limit: 1 }).pipe(
            Effect.map((page) => ({ ...page, size: 1024 * 1024 })),
            Effect.tap(({ cursor }) => Queue.offer(reads, cursor))
          )
      }
      yield* Effect.provideService(
        subscribed("s", { from: "start" }, () => isOpen.await),
        RunStore.RunStore,
        { ...store, subscribers }
      )
      // The last of them waits for room.
      yield* Queue.takeN(reads, 5)
      yield* Effect.repeatN(turn, 10)
      expect(yield* Queue.size(reads)).toBe(0)
      yield* isOpen.open
      yield* caughtUp("s")
    }).pipe(Effect.provide(Layer.provideMerge(kinds, RunStore.layerMemory)))
  )
})

describe("a subscriber that has failed on an event", () => {
  it.scoped("gets no other event in its place while its run is being deleted", () =>
    Effect.gen(function* () {
      const filename = yield* databaseFile
      const stored = RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))
      yield* Effect.gen(function* () {
        const [store, sql] = [yield* RunStore.RunStore, yield* SqlClient.SqlClient]
        const seen = yield* Queue.unbounded<string>()
        const options = { kinds: [Note], from: "start", concurrency: 2, hold: 0 } as const
        const bad = yield* noted("bad")
        yield* noted("good")
        yield* during(
          until("s", ({ behind, failing }) => behind === 0 && failing === 1),
          "s",
          options,
          (received) => {
            const isLast = received._tag === "Event" && received.event.type === "job.completed"
            return isLast && received.event.jobId === bad ? Effect.fail("no") : Effect.void
          }
        )
        const failed = (yield* recordOf("s")).undelivered.map(({ cursor }) => cursor)
        // A run is deleted in slices, its events before the row.
        yield* store.retain({ kind: "note", retention: { completed: 0 }, forget: () => Effect.fail("not yet") })
        yield* store.pin(yield* Effect.map(store.list({ limit: 1 }), ([last]) => last?.id ?? bad))
        yield* store.prune()
        yield* sql`DELETE FROM charlotte_events WHERE job_id = ${bad}`
        yield* during(
          until("s", ({ failing, gap }) => failing === 0 && gap === undefined),
          "s",
          options,
          (received) => Queue.offer(seen, shown(received))
        )
        expect([...(yield* Queue.takeAll(seen))]).toEqual([`gap ${failed[0]}-${failed[0]}`])
      }).pipe(quiet, Effect.provide(Layer.provideMerge(kinds, stored)))
    })
  )
})
