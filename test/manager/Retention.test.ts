/** Finished runs are pruned by the manager of their kind. */
import { describe, expect, it } from "@effect/vitest"
import { errors, JobKind, JobManager, Runs, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import {
  Chunk,
  Clock,
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
  Stream,
  TestClock
} from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import { config } from "../support/jobs.js"
import { databaseFile, life } from "./lives.js"

const { JobManager: Manager } = JobManager

/** A kind whose jobs end at once. */
class Note extends JobKind.Tag<Note>()("note", { config: Schema.Struct({ isBad: Schema.Boolean }) }) {}

const noted = (isBad = false) =>
  Effect.gen(function* () {
    const notes = yield* Note
    const id = yield* notes.start({ isBad })
    yield* notes.await(id)
    return id
  })

/** Waits until something sleeps, and returns how long from now on each sleep lasts. */
const asleep = Effect.gen(function* () {
  const { turn } = yield* RealClock
  const sleeps = yield* Effect.repeat(Effect.zipRight(turn, TestClock.sleeps()), { until: Chunk.isNonEmpty })
  const now = yield* Clock.currentTimeMillis
  return Chunk.toReadonlyArray(Chunk.map(sleeps, (at) => at - now))
})

const millis = (duration: Duration.DurationInput) => Duration.toMillis(duration)

/** A clock that jumps, while its sleeps and the time that passes are those of the `TestClock`. */
const jumpingWall = Effect.map(Effect.clock, (test) => {
  let ahead = 0
  const millis = () => test.unsafeCurrentTimeMillis() + ahead
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: millis,
    currentTimeMillis: Effect.sync(millis),
    unsafeCurrentTimeNanos: () => test.unsafeCurrentTimeNanos(),
    currentTimeNanos: test.currentTimeNanos,
    sleep: (duration) => test.sleep(duration)
  }
  return {
    clock,
    jump: (duration: Duration.DurationInput) => Effect.sync(() => void (ahead += Duration.toMillis(duration))),
    goBack: Effect.sync(() => void (ahead = 0)),
    onTestClock: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.withClock(effect, test)
  }
})

describe("retention", () => {
  it.scoped("prunes at start-up and when a run is too old, and tells the kind which jobs to forget", () =>
    Effect.gen(function* () {
      const forgotten = yield* Queue.unbounded<string>()
      const run = ({ isBad }: { readonly isBad: boolean }) => (isBad ? Effect.fail("no") : Effect.succeed("yes"))
      const notes = (options: Pick<JobManager.Options, "retention"> = {}) =>
        Note.layer({ run: ({ config }) => run(config), forget: (id) => Queue.offer(forgotten, id), ...options })
      const retention = { completed: "15 minutes", failed: "1 day" } as const
      const runs = yield* Runs.Runs

      const first = yield* noted().pipe(Effect.provide(notes()))
      yield* TestClock.adjust("1 hour")
      yield* Effect.gen(function* () {
        expect(yield* Queue.take(forgotten)).toBe(first)
        expect((yield* runs.get(first))._tag).toBe("None")

        const second = yield* noted()
        const failed = yield* noted(true)
        expect(yield* asleep).toEqual([millis("15 minutes")])
        yield* TestClock.adjust("14 minutes")
        expect((yield* runs.get(second))._tag).toBe("Some")
        yield* TestClock.adjust("1 minute")
        expect(yield* Queue.take(forgotten)).toBe(second)
        expect((yield* runs.get(second))._tag).toBe("None")
        expect(yield* asleep).toEqual([millis("23.75 hours")])
        yield* TestClock.adjust("1 day")
        expect(yield* Queue.take(forgotten)).toBe(failed)
      }).pipe(Effect.provide(notes({ retention })))

      // Without a manager nobody says how long they are kept.
      yield* TestClock.adjust("2 days")
      expect(yield* runs.prune()).toEqual([])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("lets the clock rest while no run is kept that may become too old", () =>
    Effect.gen(function* () {
      const { turn } = yield* RealClock
      const runs = yield* Runs.Runs
      const rests = Effect.zipRight(Effect.repeatN(turn, 50), Effect.map(TestClock.sleeps(), Chunk.toReadonlyArray))
      expect(yield* rests).toEqual([])
      yield* TestClock.adjust("4 days")
      const last = yield* noted(true)
      expect(yield* asleep).toEqual([millis("10 minutes")])
      yield* TestClock.adjust("4 days")
      yield* Effect.repeat(Effect.zipRight(turn, runs.get(last)), { until: Option.isNone })
      expect(yield* rests).toEqual([])
    }).pipe(
      Effect.provide(
        Note.layer({ run: () => Effect.fail("no"), retention: { failed: "1 second", maxRuns: 9 } }).pipe(
          Layer.provideMerge(RunStore.layerMemory)
        )
      )
    )
  )

  it.scoped("prunes nothing by a clock that has jumped ahead, until it has stood for an hour", () =>
    Effect.gen(function* () {
      const { turn } = yield* RealClock
      const runs = yield* Runs.Runs
      const warnings = yield* Queue.unbounded<string>()
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        if (logLevel === LogLevel.Warning) Queue.unsafeOffer(warnings, String(message))
      })
      const { clock, jump, onTestClock } = yield* jumpingWall
      const layer = Note.layer({
        run: ({ config: { isBad } }) => (isBad ? Effect.fail("no") : Effect.void),
        retention: { completed: "1 day", failed: "10 minutes" }
      })
      yield* Effect.gen(function* () {
        const ids = [yield* noted(), yield* noted(true)]
        const kept = Effect.forEach(ids, (id) => Effect.map(runs.get(id), Option.isSome))
        expect(yield* onTestClock(asleep)).toEqual([millis("10 minutes")])
        yield* jump("2 days")
        yield* onTestClock(TestClock.adjust("10 minutes"))
        expect(yield* Queue.take(warnings)).toBe(
          "the clock has jumped ahead by 2d: nothing is pruned until it has stood for an hour"
        )
        expect(yield* onTestClock(asleep)).toEqual([millis("1 hour")])
        expect(yield* kept).toEqual([true, true])
        yield* onTestClock(TestClock.adjust("1 hour"))
        yield* Effect.repeat(turn, { until: () => Effect.map(kept, (all) => !all.includes(true)) })
      }).pipe(
        Effect.provide(layer),
        Effect.withClock(clock),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("prunes nothing for an hour where the newest job is older than that, in case the clock is ahead", () =>
    Effect.gen(function* () {
      const runs = yield* Runs.Runs
      const { clock, goBack, jump, onTestClock } = yield* jumpingWall
      const notes = (options: Pick<JobManager.Options, "retention"> = {}) =>
        Note.layer({ run: () => Effect.void, ...options })
      yield* Effect.gen(function* () {
        const id = yield* noted().pipe(Effect.provide(notes()))
        yield* jump("2 days")
        yield* Effect.gen(function* () {
          expect(yield* onTestClock(asleep)).toContain(millis("1 hour"))
          yield* goBack
          yield* onTestClock(TestClock.adjust("1 hour"))
          expect(yield* onTestClock(asleep)).toContain(millis("23 hours"))
          expect((yield* runs.get(id))._tag).toBe("Some")
        }).pipe(Effect.provide(notes({ retention: { completed: "1 day" } })))
      }).pipe(Effect.withClock(clock))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("tries again after 10 minutes if what is kept of a job cannot be removed", () =>
    Effect.gen(function* () {
      const tries = yield* Queue.unbounded<string>()
      const forget = (id: string) => Effect.zipRight(Queue.offer(tries, id), Effect.fail("the disk is gone"))
      yield* Effect.gen(function* () {
        const id = yield* noted()
        expect(yield* asleep).toEqual([millis("1 day")])
        yield* TestClock.adjust("1 day")
        expect(yield* Queue.take(tries)).toBe(id)
        expect(yield* asleep).toEqual([millis("10 minutes")])
        yield* TestClock.adjust("10 minutes")
        expect(yield* Queue.take(tries)).toBe(id)
      }).pipe(Effect.provide(Note.layer({ run: () => Effect.void, forget, retention: { completed: "1 day" } })))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
  for (const [how, failure] of [
    ["fails", new errors.StoreError({ operation: "prune runs", reason: "busy", cause: "locked" })],
    ["dies", Effect.die("a bug in the store")]
  ] as const)
    it.scoped(`prunes the next time, where the first pruning ${how}`, () =>
      Effect.gen(function* () {
        const runs = yield* Runs.Runs
        const forgotten = yield* Deferred.make<string>()
        const id = yield* noted().pipe(Effect.provide(Note.layer({ run: () => Effect.void })))
        const store = yield* RunStore.RunStore
        const failing = yield* Ref.make(true)
        const pruning: RunStore.Service = {
          ...store,
          prune: (options) =>
            Effect.flatMap(Ref.getAndSet(failing, false), (fails) => (fails ? failure : store.prune(options)))
        }
        const layer = Note.layer({
          run: () => Effect.void,
          retention: { completed: 0 },
          forget: (id) => Deferred.succeed(forgotten, id)
        }).pipe(Layer.provide(Layer.succeed(RunStore.RunStore, pruning)))
        yield* Effect.gen(function* () {
          const { turn } = yield* RealClock
          yield* Effect.repeat(turn, { until: () => Effect.negate(Ref.get(failing)) })
          const isForgotten = Effect.map(Deferred.poll(forgotten), Option.isSome)
          yield* Effect.repeat(Effect.zipRight(turn, TestClock.adjust("10 minutes")), {
            times: 1_000,
            until: () => isForgotten
          })
          expect(yield* isForgotten).toBe(true)
          expect(yield* Deferred.await(forgotten)).toBe(id)
          yield* Effect.repeat(turn, { until: () => Effect.map(runs.get(id), Option.isNone) })
        }).pipe(Effect.provide(layer))
      }).pipe(Effect.provide(RunStore.layerMemory), Logger.withMinimumLogLevel(LogLevel.None))
    )

  it.scoped("has a pruned job not found by await, stop, resume, signal and events, also where they were cached", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const runs = yield* Runs.Runs
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const complete = Effect.gen(function* () {
        const id = yield* manager.start(config)
        yield* began(id)
        yield* send(id, Step.emit({ type: "counted" }), Step.succeed("done"))
        yield* manager.await(id)
        return id
      })
      const id = yield* complete
      const next = yield* complete
      yield* runs.pin(next)
      const all = Stream.runCollect(Stream.take(manager.allEvents(), 3))
      expect(Chunk.size(yield* Stream.runCollect(manager.events(id)))).toBe(3)
      expect(Chunk.map(yield* all, ({ jobId }) => jobId)).toEqual(Chunk.make(id, id, id))
      yield* TestClock.adjust("1 minute")
      expect(yield* runs.prune({ kind: "tasks" })).toEqual([{ kind: "tasks", runs: 1, jobs: [id] }])

      const missing = new errors.JobNotFound({ jobId: id })
      const fails = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.map(Effect.flip(effect), (e) => expect(e).toEqual(missing))
      yield* fails(manager.await(id))
      yield* fails(manager.stop(id))
      yield* fails(manager.resume(id))
      yield* fails(manager.signal(id, "x"))
      yield* fails(Stream.runDrain(manager.events(id)))
      yield* fails(Stream.runDrain(runs.events(id)))
      yield* fails(runs.pin(id))
      expect(Chunk.map(yield* all, ({ jobId }) => jobId)).toEqual(Chunk.make(next, next, next))
    }).pipe(
      Effect.provide(
        JobManager.layer({ retention: { completed: "30 seconds" } }).pipe(
          Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
        )
      )
    )
  )

  it.scoped("gives the idempotency key of a pruned run to another job", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const runs = yield* Runs.Runs
      const options = { idempotencyKey: "k" }
      const id = yield* manager.start(config, options)
      yield* manager.stop(id)
      expect(yield* manager.start(config, options)).toBe(id)
      yield* TestClock.adjust("1 minute")
      yield* runs.prune()
      const other = yield* manager.start({ ...config, targetBranch: "other" }, options)
      expect(other > id).toBe(true)
    }).pipe(
      Effect.provide(
        JobManager.layer({ retention: { failed: 0 } }).pipe(
          Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
        )
      )
    )
  )

  it.scoped("refuses a number of runs that is no whole number as a defect", () =>
    Effect.gen(function* () {
      for (const maxRuns of [-1, 1.5, NaN]) {
        const layer = Note.layer({ run: () => Effect.void, retention: { maxRuns } })
        const exit = yield* Effect.exit(Effect.provide(Effect.void, layer))
        expect(Exit.isFailure(exit) && exit.cause.toString()).toContain(
          `maxRuns is a whole number, 0 or more, not ${maxRuns}`
        )
      }
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("retention in memory", () => {
  it.effect("keeps the last 1,000 finished runs, and those that are pinned or not over", () =>
    Effect.gen(function* () {
      const notes = yield* Note
      const runs = yield* Runs.Runs
      const pinned = yield* noted()
      yield* runs.pin(pinned)
      const first = yield* noted()
      const ids = yield* Effect.replicateEffect(noted(), 1_000)
      expect((yield* runs.get(first))._tag).toBe("None")
      const listed = yield* runs.list({ limit: 1_000 })
      expect(listed.map(({ id }) => id)).toEqual([...ids].reverse())
      expect((yield* runs.get(pinned))._tag).toBe("Some")
      yield* noted(true)
      expect((yield* runs.get(ids[0] ?? first))._tag).toBe("None")
      const seen = yield* Stream.runCollect(Stream.take(notes.allEvents(), 4))
      expect(new Set(Chunk.map(seen, ({ jobId }) => jobId))).toEqual(new Set([pinned, ids[1]]))
    }).pipe(
      Effect.provide(
        Layer.provideMerge(Note.layer({ run: ({ config }) => Effect.succeed(config) }), RunStore.layerMemory)
      )
    )
  )
})

describe("ids and cursors", () => {
  it.scoped("are above those of a pruned run after a restart, also where the clock was ahead", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const completed = Effect.gen(function* () {
        const manager = yield* Manager
        const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const id = yield* manager.start(config)
        yield* began(id)
        yield* send(id, Step.succeed("done"))
        yield* manager.await(id)
        return { id, cursor: yield* Effect.flatMap(RunStore.RunStore, ({ latestCursor }) => latestCursor) }
      })
      yield* TestClock.setTime(Duration.toMillis("10 days"))
      const pruned = yield* Effect.gen(function* () {
        const before = yield* completed
        yield* TestClock.adjust("1 minute")
        const store = yield* RunStore.RunStore
        expect(yield* store.prune()).toMatchObject([{ runs: 1 }])
        expect(yield* store.latestCursor).toBe(before.cursor)
        return before
      }).pipe(life(file, { retention: { maxRuns: 0 } }))
      yield* TestClock.setTime(Duration.toMillis("1 day"))
      const later = yield* completed.pipe(life(file))
      expect(later.id > pruned.id).toBe(true)
      expect(later.cursor).toBe(pruned.cursor + 2)
    })
  )
})
