/**
 * The conformance suite of `group` and `maxPerGroup`, on any store, on one machine or as a node of a cluster.
 */
import { describe, expect, it } from "@effect/vitest"
import { type errors, type JobId, JobKind, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Fiber, FiberId, Layer, Logger, LogLevel, Ref, Schema, Scope } from "effect"
import { poll } from "../../src/internal/RealClock.js"

/** A job of a group ends when the test says so, or parks, or fails once. */
export class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({
    of: Schema.optional(Schema.String),
    does: Schema.optionalWith(Schema.Literal("waits", "parks", "fails"), { default: () => "waits" as const })
  }),
  group: ({ of }) => of
}) {}

type Options = JobKind.LayerOptions<typeof Work, never, never>

/** How a manager of the kind is made, on a store. */
export type Making = (options: Options) => Layer.Layer<Work, errors.StoreError, RunStore.RunStore>

const { RunStore: Store } = RunStore

const recordOf = (id: JobId.JobId) => Effect.flatMap(Store, (store) => Effect.flatten(store.get(id)))

const shows = (id: JobId.JobId, expected: { readonly status: string; readonly waitsFor?: string }) =>
  poll(recordOf(id), {
    until: ({ status, waitsFor }) => status === expected.status && waitsFor === expected.waitsFor,
    pause: 5,
    atMost: "60 seconds"
  })

/** Each pause is a line of the log. */
const quiet = Logger.withMinimumLogLevel(LogLevel.None)

const queued = { whenFull: "queue" } as const

export const grouping = (name: string, work: Making, store: Layer.Layer<RunStore.RunStore, errors.StoreError>) => {
  /** The work, how many jobs of each group have run at once at most, and what ends the jobs of a group. */
  const working = (options: Partial<Options> = {}) =>
    Effect.gen(function* () {
      const ends = new Map<string, Deferred.Deferred<void>>()
      const endOf = (group: string) => {
        const end = ends.get(group) ?? Deferred.unsafeMake<void>(FiberId.none)
        ends.set(group, end)
        return end
      }
      const active = yield* Ref.make<Readonly<Record<string, number>>>({})
      const most = new Map<string, number>()
      const count = (group: string, by: number) =>
        Ref.updateAndGet(active, (all) => ({ ...all, [group]: (all[group] ?? 0) + by })).pipe(
          Effect.tap((all) => Effect.sync(() => most.set(group, Math.max(most.get(group) ?? 0, all[group] ?? 0))))
        )
      const layer = work({
        maxJobs: 9,
        maxPerGroup: 1,
        retry: { times: 1, delay: { base: 1 } },
        ...options,
        run: (job) => {
          const { does, of = "" } = job.config
          return Effect.acquireUseRelease(
            count(of, 1),
            () =>
              Effect.gen(function* () {
                if (does === "parks" && job.attempt === 1) return yield* job.park({ reason: "waits", signal: "go" })
                yield* Deferred.await(endOf((yield* job.stopping) ? `the stop in ${of}` : of))
                if (does === "fails" && job.attempt === 1) return yield* Effect.fail("failed")
              }),
            () => count(of, -1)
          )
        }
      })
      return { layer, end: (group: string) => Deferred.succeed(endOf(group), undefined), most }
    })

  /** A manager on the store, and what ends it. */
  const opened = (layer: Layer.Layer<Work, errors.StoreError, RunStore.RunStore>) =>
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const manager = Context.get(yield* Layer.buildWithScope(layer, scope), Work)
      return { manager, close: Scope.close(scope, Exit.void) }
    })

  describe(`the groups of a kind, ${name}`, () => {
    it.live("run so many jobs at once and no more; a full one refuses its own starts only", () =>
      Effect.gen(function* () {
        const { end, layer, most } = yield* working({ maxPerGroup: 2 })
        const { manager } = yield* opened(layer)
        const a = [yield* manager.start({ of: "a" }), yield* manager.start({ of: "a" })]
        const full = { _tag: "MaxJobsReached", maxJobs: 2, reason: "group", group: "a" }
        expect(yield* Effect.flip(manager.start({ of: "a" }))).toMatchObject(full)
        expect(yield* Effect.flip(manager.start({ of: "a" }, { idempotencyKey: "k" }))).toMatchObject(full)
        const waiting = yield* manager.start({ of: "a" }, queued)
        expect(yield* recordOf(waiting)).toMatchObject({ status: "pending", waitsFor: "group", group: "a" })
        const others = [yield* manager.start({ of: "b" }), yield* manager.start({}), yield* manager.start({})]
        yield* end("a")
        for (const id of [...a, waiting]) expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
        expect(most.get("a")).toBeLessThanOrEqual(2)
        yield* Effect.zipRight(end("b"), end(""))
        for (const id of others) yield* manager.await(id)
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("leave their room to others while a job is parked, and let it go on once there is room", () =>
      Effect.gen(function* () {
        const { end, layer } = yield* working()
        const { manager } = yield* opened(layer)
        const parked = yield* manager.start({ of: "a", does: "parks" })
        yield* shows(parked, { status: "parked", waitsFor: "signal" })
        const other = yield* manager.start({ of: "a" })
        yield* manager.signal(parked, "go")
        yield* shows(parked, { status: "parked", waitsFor: "group" })
        yield* end("a")
        for (const id of [other, parked]) expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("let a failed attempt be retried when there is room, and a stopped job free its place", () =>
      Effect.gen(function* () {
        const { end, layer, most } = yield* working()
        const { manager } = yield* opened(layer)
        const failing = yield* manager.start({ of: "a", does: "fails" })
        const waiting = yield* manager.start({ of: "a" }, queued)
        const last = yield* manager.start({ of: "a" }, queued)
        yield* end("a")
        for (const id of [failing, waiting, last]) {
          expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
        }
        expect(most.get("a")).toBe(1)
        const running = yield* manager.start({ of: "b" })
        const next = yield* manager.start({ of: "b" }, queued)
        yield* manager.stop(running)
        yield* shows(next, { status: "running" })
        const behind = yield* manager.start({ of: "b" }, queued)
        yield* manager.stop(behind)
        expect(yield* recordOf(behind)).toMatchObject({ status: "cancelled" })
        yield* end("b")
        expect(yield* manager.await(next)).toMatchObject({ status: "completed" })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("let an attempt for a stop wait for room and take it like any other, before runs that have not begun", () =>
      Effect.gen(function* () {
        const { end, layer, most } = yield* working({ onStop: "run" })
        const { manager } = yield* opened(layer)
        const parked = yield* manager.start({ of: "a", does: "parks" })
        yield* shows(parked, { status: "parked", waitsFor: "signal" })
        const other = yield* manager.start({ of: "a" })
        const next = yield* manager.start({ of: "a" }, queued)
        const stop = yield* Effect.fork(manager.stop(parked, { grace: "10 minutes" }))
        yield* shows(parked, { status: "parked", waitsFor: "group" })
        yield* end("a")
        yield* shows(parked, { status: "running" })
        expect(yield* recordOf(next)).toMatchObject({ status: "pending", waitsFor: "group" })
        yield* end("the stop in a")
        expect(yield* Fiber.join(stop)).toMatchObject({ status: "cancelled", mode: "graceful" })
        for (const id of [other, next]) expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
        expect(most.get("a")).toBe(1)
        // A stop without any grace runs nothing, and needs no room.
        const again = yield* manager.start({ of: "b", does: "parks" })
        yield* shows(again, { status: "parked", waitsFor: "signal" })
        const busy = yield* manager.start({ of: "b" })
        expect(yield* manager.stop(again, { grace: 0 })).toMatchObject({ status: "cancelled" })
        yield* end("b")
        yield* manager.await(busy)
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("wait for the end of a pause, and begin no more than allowed after it", () =>
      Effect.gen(function* () {
        const { end, layer, most } = yield* working()
        const { manager } = yield* opened(layer)
        yield* manager.pause()
        const all = yield* Effect.forEach(["a", "a", "b"], (of) => manager.start({ of }, queued))
        for (const id of all) expect(yield* recordOf(id)).toMatchObject({ status: "pending", waitsFor: "paused" })
        yield* manager.unpause()
        yield* Effect.zipRight(end("a"), end("b"))
        for (const id of all) expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
        expect([...most]).toEqual(
          expect.arrayContaining([
            ["a", 1],
            ["b", 1]
          ])
        )
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("are kept over a restart, at which another limit may be set, for runs that wait and were interrupted", () =>
      Effect.gen(function* () {
        const first = yield* working()
        const before = yield* opened(first.layer)
        const running = yield* before.manager.start({ of: "a" })
        const waiting = yield* Effect.forEach([1, 2], () => before.manager.start({ of: "a" }, queued))
        yield* before.close
        const second = yield* working({ maxPerGroup: 2 })
        const { manager } = yield* opened(second.layer)
        const [next, last] = waiting
        yield* shows(running, { status: "running" })
        if (next !== undefined) yield* shows(next, { status: "running" })
        if (last !== undefined) yield* shows(last, { status: "pending", waitsFor: "group" })
        yield* second.end("a")
        for (const id of [running, ...waiting]) {
          expect(yield* manager.await(id)).toMatchObject({ status: "completed" })
        }
        expect(second.most.get("a")).toBeLessThanOrEqual(2)
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )

    it.live("are recorded for a retry by hand, and refuse a group that is no text of 1 to 256 bytes", () =>
      Effect.gen(function* () {
        const { end, layer } = yield* working()
        const { manager } = yield* opened(layer)
        expect(yield* Effect.flip(manager.start({ of: "" }))).toMatchObject({ _tag: "InvalidJobConfig" })
        const stopped = yield* manager.start({ of: "a" })
        yield* manager.stop(stopped)
        const again = yield* manager.retry(stopped)
        expect(yield* recordOf(again)).toMatchObject({ group: "a" })
        yield* end("a")
        expect(yield* manager.await(again)).toMatchObject({ status: "completed" })
      }).pipe(Effect.scoped, quiet, Effect.provide(store))
    )
  })
}
