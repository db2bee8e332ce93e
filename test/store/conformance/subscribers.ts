import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Duration, Effect, Either, type Layer, Option, TestClock } from "effect"
import type { Registration } from "../../../src/store/port/RunStoreService.js"
import { at, created, error, event, id, kind, newRun } from "../runs.js"

const registration = (with_: Partial<Registration> = {}): Registration => ({
  name: "s",
  from: "start",
  hold: Duration.millis(100),
  at: at(1),
  ...with_
})

const registered = (with_?: Partial<Registration>) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* store.subscribers.register(registration(with_))
    return store
  })

/** The subscriber, its cursor moved there by its live instance. */
const movedTo = (cursor: number, name = "s") =>
  Effect.gen(function* () {
    const { subscribers } = yield* RunStore.RunStore
    const { holder } = yield* Effect.flatten(subscribers.tryLock(name))
    expect(yield* subscribers.move({ name, holder, cursor, at: at(2) })).toBe(true)
  }).pipe(Effect.scoped)

const completed = (n: number, endedAt = 10) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* created(n)
    yield* store.record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(endedAt), result: null })
  })

const only = Effect.flatMap(RunStore.RunStore, ({ subscribers }) =>
  Effect.flatMap(subscribers.list, ([first]) => Effect.fromNullable(first))
)

/** Prunes all finished runs that nothing holds at that time. */
const prunedAt = (millis: number) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* TestClock.setTime(millis)
    yield* store.retain({ kind, retention: { completed: 0, failed: 0 }, forget: () => Effect.void })
    return (yield* store.prune({ kind })).flatMap(({ jobs }) => jobs)
  }).pipe(Effect.scoped)

export const subscribers = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("subscribers", () => {
    it.effect(
      "begin at the start or after the latest event, and keep their cursor when they are registered again",
      () =>
        Effect.gen(function* () {
          yield* created(1)
          const { latestCursor, subscribers } = yield* registered({ name: "a" })
          const latest = yield* latestCursor
          yield* registered({ name: "b", from: "now", kinds: ["x"], types: ["y"] })
          expect(yield* subscribers.list).toMatchObject([
            { name: "a", cursor: 0, behind: latest, hold: 100, failing: 0, aside: 0, skipped: 0, undelivered: [] },
            { name: "b", cursor: latest, behind: 0, kinds: ["x"], types: ["y"] }
          ])
          yield* movedTo(latest, "a")
          yield* registered({ name: "a", at: at(9), types: ["z"], hold: Duration.millis(7) })
          const [a] = yield* subscribers.list
          expect(a).toMatchObject({ cursor: latest, types: ["z"], hold: 7, createdAt: at(1), movedAt: at(2) })
          expect(a).not.toHaveProperty("kinds")
        }).pipe(Effect.provide(layer))
    )

    it.effect("have one live instance, which alone moves the cursor", () =>
      Effect.gen(function* () {
        const { subscribers } = yield* registered()
        const first = yield* Effect.scoped(
          Effect.gen(function* () {
            const { holder } = yield* Effect.flatten(subscribers.tryLock("s"))
            expect(Option.isNone(yield* subscribers.tryLock("s"))).toBe(true)
            expect(yield* Effect.flip(subscribers.remove("s"))).toMatchObject({ _tag: "SubscriberInUse" })
            return holder
          })
        )
        yield* movedTo(3)
        expect(yield* subscribers.move({ name: "s", holder: first, cursor: 9, at: at(3) })).toBe(false)
        expect(yield* only).toMatchObject({ cursor: 3 })
        yield* subscribers.remove("s")
        expect(yield* subscribers.list).toEqual([])
        expect(yield* Effect.flip(subscribers.remove("s"))).toMatchObject({ _tag: "SubscriberNotFound" })
        expect(yield* subscribers.progress({ name: "s", after: 0 })).toEqual(Option.none())
        expect(Option.isNone(yield* Effect.scoped(subscribers.tryLock("s")))).toBe(true)
      }).pipe(Effect.provide(layer))
    )

    it.effect("have a name that only one of them takes on a store", () =>
      Effect.gen(function* () {
        const { subscribers } = yield* RunStore.RunStore
        const taken = Effect.either(subscribers.claim("s"))
        const [first, second] = yield* Effect.scoped(Effect.all([taken, taken]))
        expect(Either.isRight(first)).toBe(true)
        expect(second).toMatchObject({ left: { _tag: "AlreadySubscribed", subscriber: "s" } })
        expect(Either.isRight(yield* Effect.scoped(taken))).toBe(true)
      }).pipe(Effect.provide(layer))
    )

    it.effect("read the events of their kinds and types, with the kind of each job, page by page", () =>
      Effect.gen(function* () {
        const { append, subscribers } = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2, { kind: "other" })
        yield* append({ jobId: id(1), attempt: 1, events: [event("x", { n: 1 }), event("y")] })
        yield* append({ jobId: id(2), attempt: 1, events: [event("x")] })
        const read = (selection: { readonly kinds?: ReadonlyArray<string>; readonly types?: ReadonlyArray<string> }) =>
          Effect.map(subscribers.deliveries({ ...selection, after: 0, limit: 100 }), ({ deliveries }) =>
            deliveries.map(({ event, kind }) => `${kind} ${event.type}`)
          )
        expect(yield* read({})).toEqual(["tasks job.started", "other job.started", "tasks x", "tasks y", "other x"])
        expect(yield* read({ kinds: [kind], types: ["x", "job.started"] })).toEqual(["tasks job.started", "tasks x"])
        expect(yield* read({ kinds: [kind, "other"], types: ["x"] })).toEqual(["tasks x", "other x"])
        expect(yield* read({ types: [] })).toEqual([])
        const page = yield* subscribers.deliveries({ types: ["x"], after: 0, limit: 3 })
        expect(page).toMatchObject({ more: true, deliveries: [{ event: { jobId: id(1), payload: { n: 1 } } }] })
        const next = yield* subscribers.deliveries({ types: ["x"], after: page.cursor, limit: 3 })
        expect(next).toMatchObject({ more: false, deliveries: [{ event: { jobId: id(2) } }] })
      }).pipe(Effect.provide(layer))
    )

    it.effect("remember the events that they failed on, until these are handled, put aside, or their run is gone", () =>
      Effect.gen(function* () {
        const { subscribers } = yield* registered()
        yield* completed(1)
        yield* completed(2, 20)
        const { deliveries } = yield* subscribers.deliveries({ after: 0, limit: 100 })
        const [one, , three, four] = deliveries.map(({ event }) => event.cursor)
        if (one === undefined || three === undefined || four === undefined) return expect.fail("too few events")
        const fail = (cursor: number, jobId: typeof id extends (n: number) => infer Id ? Id : never, millis: number) =>
          subscribers.failed({ name: "s", jobId, cursor, at: at(millis), error: `no\0 ${"x".repeat(10_000)}` })
        expect(yield* fail(one, id(1), 5)).toEqual(at(5))
        expect(yield* fail(one, id(1), 6)).toEqual(at(5))
        yield* fail(three, id(2), 7)
        yield* fail(four, id(2), 8)
        yield* subscribers.putAside({ name: "s", cursor: three })
        yield* subscribers.settle({ name: "s", cursor: four })
        yield* subscribers.skipped("s")
        const shown = yield* only
        expect(shown).toMatchObject({
          failing: 1,
          aside: 1,
          skipped: 1,
          undelivered: [
            { jobId: id(1), cursor: one, type: "job.started", failedAt: at(5), isAside: false },
            { jobId: id(2), cursor: three, isAside: true }
          ]
        })
        expect(shown.undelivered[0]?.error).toHaveLength(4_000)
        const undelivered = (after: number) =>
          Effect.map(Effect.flatten(subscribers.progress({ name: "s", after })), ({ undelivered }) =>
            undelivered.map(({ cursor, isAside }) => [cursor, isAside])
          )
        expect(yield* undelivered(0)).toEqual([
          [one, false],
          [three, true]
        ])
        expect(yield* undelivered(four)).toEqual([[one, false]])
        expect(yield* subscribers.retry({ name: "s", at: at(50) })).toBe(1)
        expect(yield* subscribers.retry({ name: "s", at: at(60) })).toBe(0)
        expect(yield* Effect.flip(subscribers.retry({ name: "t", at: at(60) }))).toMatchObject({
          _tag: "SubscriberNotFound"
        })
        expect(yield* undelivered(four)).toEqual([
          [one, false],
          [three, false]
        ])
        expect(yield* fail(three, id(2), 70)).toEqual(at(50))
        yield* prunedAt(1_000)
        expect(yield* undelivered(0)).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep a run that they have not seen for the hold after its end, and then learn what they miss", () =>
      Effect.gen(function* () {
        yield* completed(1, 10)
        yield* completed(2, 20)
        yield* completed(3, 30)
        yield* created(4, { kind: "other" })
        const { subscribers } = yield* registered({ kinds: [kind], hold: Duration.millis(100) })
        const { deliveries } = yield* subscribers.deliveries({ after: 0, limit: 100 })
        const cursors = deliveries.map(({ event }) => event.cursor)
        yield* movedTo(cursors[1] ?? 0)
        expect(yield* prunedAt(50)).toEqual([id(1)])
        expect(yield* only).not.toHaveProperty("gap")
        expect(yield* prunedAt(119)).toEqual([])
        expect(yield* prunedAt(120)).toEqual([id(2)])
        expect(yield* only).toMatchObject({ gap: { from: cursors[2], to: cursors[3] } })
        expect(yield* prunedAt(130)).toEqual([id(3)])
        expect(yield* only).toMatchObject({ gap: { from: cursors[2], to: cursors[5] } })
        yield* subscribers.closeGap({ name: "s", to: cursors[3] ?? 0 })
        expect(yield* only).toMatchObject({ gap: { from: cursors[2], to: cursors[5] } })
        yield* subscribers.closeGap({ name: "s", to: cursors[5] ?? 0 })
        expect(yield* only).not.toHaveProperty("gap")
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep a chain of retries if they have failed on an event of an earlier run", () =>
      Effect.gen(function* () {
        const { create, record, subscribers } = yield* registered()
        yield* created(1)
        yield* record({ type: "job.failed", jobId: id(1), attempt: 1, at: at(10), error })
        const last = yield* Effect.flatMap(RunStore.RunStore, ({ latestCursor }) => latestCursor)
        yield* create(newRun(2, { isQueued: true, retryOf: { id: id(1), fresh: false } }))
        yield* record({ type: "job.cancelled", jobId: id(2), attempt: 1, at: at(20), ofWaiting: true })
        yield* subscribers.failed({ name: "s", jobId: id(1), cursor: last, at: at(21), error: "no" })
        yield* movedTo(last + 2)
        expect(yield* prunedAt(119)).toEqual([])
        yield* subscribers.settle({ name: "s", cursor: last })
        expect(yield* prunedAt(119)).toEqual([id(1), id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep a run for ever if their hold is infinite", () =>
      Effect.gen(function* () {
        const { subscribers } = yield* registered({ hold: Duration.infinity })
        yield* completed(1, 10)
        const { deliveries } = yield* subscribers.deliveries({ after: 0, limit: 100 })
        expect((yield* only).hold).toBe(Number.MAX_SAFE_INTEGER)
        expect(yield* prunedAt(4_000_000_000_000)).toEqual([])
        yield* movedTo(deliveries.at(-1)?.event.cursor ?? 0)
        expect(yield* prunedAt(4_000_000_000_000)).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("miss nothing of kinds and types that they do not receive", () =>
      Effect.gen(function* () {
        const { subscribers } = yield* registered({ name: "kinds", kinds: ["other"] })
        yield* registered({ name: "types", types: ["x"] })
        yield* completed(1, 10)
        expect(yield* prunedAt(20)).toEqual([])
        expect(yield* prunedAt(110)).toEqual([id(1)])
        for (const subscriber of yield* subscribers.list) expect(subscriber).not.toHaveProperty("gap")
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep a run on whose events they have failed for the hold, and miss those that are still tried", () =>
      Effect.gen(function* () {
        const { subscribers } = yield* registered()
        yield* completed(1, 10)
        yield* completed(2, 10)
        const { deliveries } = yield* subscribers.deliveries({ types: ["job.completed"], after: 0, limit: 100 })
        const [one, two] = deliveries.map(({ event }) => event.cursor)
        if (one === undefined || two === undefined) return expect.fail("too few events")
        for (const [n, cursor] of [[1, one] as const, [2, two] as const]) {
          yield* subscribers.failed({ name: "s", jobId: id(n), cursor, at: at(11), error: "no" })
        }
        yield* subscribers.putAside({ name: "s", cursor: one })
        yield* movedTo(two)
        expect(yield* prunedAt(109)).toEqual([])
        expect(yield* prunedAt(110)).toEqual([id(1), id(2)])
        expect(yield* only).toMatchObject({ failing: 0, aside: 0, gap: { from: two, to: two } })
      }).pipe(Effect.provide(layer))
    )
  })
}
