/** Steps: done once, and remembered for all attempts of a job, and for the jobs that retry it. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, JobKind, RunStore } from "charlotte"
import {
  Array,
  Cause,
  Chunk,
  Context,
  Data,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Redacted,
  Ref,
  Schema,
  Scope,
  Stream
} from "effect"
import { poll } from "../../src/internal/RealClock.js"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

type Options = JobKind.LayerOptions<typeof Order, never, never>
type Job = Parameters<Options["run"]>[0]
type Work = (job: Job) => Effect.Effect<unknown, unknown>

class Declined extends Data.TaggedError("Declined")<{ readonly code: number }> {}

const Receipt = Schema.Struct({ at: Schema.Date, cents: Schema.BigInt })
const Refusal = Schema.TaggedStruct("Refusal", { until: Schema.Date })

const go = { reason: "waits", signal: "go" } as const
const noPause = { times: 1, delay: () => 0 } satisfies JobKind.Retry
const patience = { pause: 5, atMost: "20 seconds" } as const

const recordOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

const ended = (id: JobId.JobId) => Effect.flatMap(Order, (orders) => orders.await(id))

/** Runs a job to its end, and wakes it each time it parks. */
const lived = Effect.gen(function* () {
  const orders = yield* Order
  const id = yield* orders.start({})
  const wakes = Effect.forever(
    Effect.zipRight(
      poll(recordOf(id), { until: ({ waitsFor }) => waitsFor === "signal", ...patience, atMost: "10 minutes" }),
      orders.signal(id, "go")
    )
  )
  const waking = yield* Effect.fork(wakes)
  yield* orders.await(id)
  yield* Fiber.interrupt(waking)
  return yield* recordOf(id)
})

const stepEvents = (id: JobId.JobId) =>
  Effect.flatMap(Order, ({ events }) =>
    Effect.map(Stream.runCollect(events(id)), (all) =>
      Chunk.toReadonlyArray(all).flatMap(({ payload, type }) => (type === "job.step" ? [payload] : []))
    )
  )

/** A counter, and a step that counts how often it runs. */
const counting = Effect.map(Ref.make(0), (count) => ({
  count: Ref.get(count),
  ran: Ref.updateAndGet(count, (n) => n + 1)
}))

const layer = (run: Work, options: Partial<Options> = {}) =>
  Order.layer({ run, maxJobs: 2, ...options }).pipe(Layer.provideMerge(RunStore.layerMemory))

describe("a step", () => {
  it.live("runs once, and later returns what was recorded, in this attempt and in the next", () =>
    Effect.gen(function* () {
      const { count, ran } = yield* counting
      const work: Work = ({ attempt, park, step }) =>
        Effect.gen(function* () {
          const first = yield* step("charge", ran)
          const again = yield* step("charge", ran)
          if (attempt < 3) return yield* park(go)
          return [first, again]
        })
      const run = yield* lived.pipe(
        Effect.tap(({ id }) =>
          Effect.map(stepEvents(id), (steps) => {
            expect(steps).toEqual([{ name: "charge", ok: true, millis: expect.any(Number) }])
          })
        ),
        Effect.provide(layer(work))
      )
      expect(run).toMatchObject({ status: "completed", attempt: 3, result: [1, 1] })
      expect(yield* count).toBe(1)
    })
  )

  it.live("returns its value as its schema reads it back, and without a schema as JSON, already the first time", () =>
    Effect.gen(function* () {
      const seen = yield* Ref.make<ReadonlyArray<unknown>>([])
      const see = (value: unknown) => Ref.update(seen, (all) => [...all, value])
      const at = new Date(5)
      const work: Work = ({ attempt, park, step }) =>
        Effect.gen(function* () {
          yield* see(yield* step("receipt", Effect.succeed({ at, cents: 7n }), { success: Receipt }))
          yield* see(yield* step("json", Effect.succeed({ cents: 7, none: undefined })))
          yield* see(yield* step("nothing", Effect.void))
          yield* see(yield* Effect.flip(step("refusal", Effect.fail(Refusal.make({ until: at })), { error: Refusal })))
          yield* see(
            yield* step("declined", new Declined({ code: 3 })).pipe(
              Effect.catchTag("Declined", ({ code }) => Effect.succeed(code))
            )
          )
          return attempt === 1 ? yield* park(go) : undefined
        })
      yield* lived.pipe(Effect.provide(layer(work)))
      const once = [{ at, cents: 7n }, { cents: 7 }, undefined, { _tag: "Refusal", until: at }, 3]
      expect(yield* Ref.get(seen)).toEqual([...once, ...once])
    })
  )

  it.live("records a typed failure, and neither a defect nor an interruption nor a park inside", () =>
    Effect.gen(function* () {
      const ran = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(ran, (all) => [...all, what])
      const work: Work = ({ attempt, park, step }) =>
        Effect.gen(function* () {
          yield* Effect.exit(step("fails", Effect.zipRight(say("fails"), Effect.fail("no"))))
          yield* Effect.exit(step("dies", Effect.zipRight(say("dies"), Effect.die("no"))))
          yield* Effect.exit(step("stops", Effect.zipRight(say("stops"), Effect.interrupt)))
          return yield* step("parks", Effect.zipRight(say("parks"), attempt === 1 ? park(go) : Effect.void))
        })
      const run = yield* lived.pipe(Effect.provide(layer(work)))
      expect(run).toMatchObject({ status: "completed", attempt: 2 })
      expect(yield* Ref.get(ran)).toEqual(["fails", "dies", "stops", "parks", "dies", "stops", "parks"])
    })
  )

  it.live(
    "of one name at the same time is one: the second gets the record of the first, or runs after its defect",
    () =>
      Effect.gen(function* () {
        const { ran } = yield* counting
        const begun = yield* Deferred.make<void>()
        const free = yield* Deferred.make<void>()
        const slow = Deferred.succeed(begun, undefined).pipe(
          Effect.zipRight(Deferred.await(free)),
          Effect.zipRight(ran)
        )
        const work: Work = ({ step }) =>
          Effect.gen(function* () {
            const first = yield* Effect.fork(step("a", slow))
            yield* Deferred.await(begun)
            const second = yield* Effect.fork(step("a", ran))
            const dies = yield* Effect.fork(
              Effect.exit(step("b", Effect.zipRight(Deferred.await(free), Effect.die("no"))))
            )
            yield* Effect.yieldNow()
            const third = yield* Effect.fork(step("b", ran))
            yield* Effect.yieldNow()
            yield* Deferred.succeed(free, undefined)
            yield* Fiber.join(dies)
            return [yield* Fiber.join(first), yield* Fiber.join(second), yield* Fiber.join(third)]
          })
        const { result } = yield* lived.pipe(Effect.provide(layer(work)))
        expect(result).toEqual([1, 1, 2])
      })
  )

  it.live("within a step is a step, and is not asked for once the outer one is recorded; within itself it dies", () =>
    Effect.gen(function* () {
      const { ran } = yield* counting
      const work: Work = ({ attempt, park, step }) =>
        Effect.gen(function* () {
          const outer = yield* step("outer", Effect.zipRight(step("inner", ran), ran))
          if (attempt === 1) return yield* park(go)
          const itself = yield* Effect.exit(step("a", step("a", Effect.void)))
          return [outer, String(itself)]
        })
      const { id, result } = yield* lived.pipe(
        Effect.tap(({ id }) =>
          Effect.map(stepEvents(id), (steps) => expect(steps).toMatchObject([{ name: "inner" }, { name: "outer" }]))
        ),
        Effect.provide(layer(work))
      )
      expect(id).toHaveLength(26)
      expect(result).toMatchObject([2, expect.stringContaining("step a: it waits for itself")])
    })
  )

  it.live("beyond a limit is a defect that names the step and the limit, and records nothing", () =>
    Effect.gen(function* () {
      const large = Effect.succeed("x".repeat(1024 * 1024))
      const names = ["", "x".repeat(257), "a\0b"]
      const work: Work = ({ step }) =>
        Effect.map(
          Effect.forEach([...names.map((name) => step(name, Effect.void)), step("large", large)], Effect.exit),
          (exits) => exits.map(String)
        )
      const { result } = yield* lived.pipe(
        Effect.tap(({ id }) => Effect.map(stepEvents(id), (steps) => expect(steps).toEqual([]))),
        Effect.provide(layer(work))
      )
      expect(result).toMatchObject([
        expect.stringContaining("a name has 1 to 256 bytes"),
        expect.stringContaining("a name has 1 to 256 bytes"),
        expect.stringContaining("must not contain NUL"),
        expect.stringContaining("step large: its value has 1048578 bytes of JSON, and the limit is 1048576")
      ])
    })
  )

  it.live(
    "whose value JSON does not read back is a defect that names the step and the field, and records nothing",
    () =>
      Effect.gen(function* () {
        class Receipt {
          readonly cents = 7
        }
        const cycle: { self?: unknown } = {}
        cycle.self = cycle
        const values: Record<string, unknown> = {
          date: { at: [1, new Date(5)] },
          map: new Map([["a", 1]]),
          bigint: 10n,
          cycle,
          class: { receipt: new Receipt() },
          secret: Redacted.make("s"),
          number: NaN
        }
        const work: Work = ({ step }) =>
          Effect.map(
            Effect.forEach(Object.entries(values), ([name, value]) => Effect.exit(step(name, Effect.succeed(value)))),
            (exits) => exits.map((exit) => (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "recorded"))
          )
        const { result } = yield* lived.pipe(
          Effect.tap(({ id }) => Effect.map(stepEvents(id), (steps) => expect(steps).toEqual([]))),
          Effect.provide(layer(work))
        )
        const fields = ["date.at.1", "map", "bigint", "cycle.self", "class.receipt", "secret", "number"]
        expect(result).toMatchObject(
          fields.map((field) =>
            expect.stringContaining(`the value of step ${field} cannot be recorded: it is another value once JSON`)
          )
        )
      })
  )

  it.live("that the current schema cannot read is a defect that names the job, the step and the field", () =>
    Effect.gen(function* () {
      const work: Work = ({ attempt, park, step }) =>
        attempt === 1
          ? Effect.zipRight(step("a", Effect.succeed({ n: "x" })), park(go))
          : step("a", Effect.succeed({ n: 1 }), { success: Schema.Struct({ n: Schema.Number }) })
      const run = yield* lived.pipe(Effect.provide(layer(work)))
      expect(run).toMatchObject({ status: "failed", error: { kind: "defect" } })
      expect(run.error?.cause).toContain(`step a of job ${run.id} cannot be read: value.n: Expected number`)
    })
  )

  it.live("whose schema cannot encode its value is a defect, records nothing, and runs again in the next attempt", () =>
    Effect.gen(function* () {
      const { ran } = yield* counting
      const defect = yield* Ref.make("")
      const success = Schema.Number.pipe(Schema.filter((n) => n > 1))
      const work: Work = ({ attempt, park, step }) =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(step("a", ran, { success }))
          if (attempt > 1) return yield* exit
          yield* Ref.set(defect, Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
          return yield* park(go)
        })
      const run = yield* lived.pipe(
        Effect.tap(({ id }) => Effect.map(stepEvents(id), (steps) => expect(steps).toHaveLength(1))),
        Effect.provide(layer(work))
      )
      expect(run).toMatchObject({ status: "completed", attempt: 2, result: 2 })
      expect(yield* Ref.get(defect)).toContain("the value of step a cannot be recorded")
    })
  )

  it.live("that succeeded is found by a retry, which forgets the failures of the attempt before", () =>
    Effect.gen(function* () {
      const { ran } = yield* counting
      const work: Work = ({ step, tries }) =>
        Effect.gen(function* () {
          const done = yield* step("done", ran)
          const failed = yield* step("failing", tries === 0 ? Effect.fail("no") : ran)
          return [done, failed, yield* step("failing", Effect.fail("forgotten"))]
        })
      const run = yield* lived.pipe(Effect.provide(layer(work, { retry: noPause })))
      expect(run).toMatchObject({ status: "completed", attempt: 2, result: [1, 2, 2] })
    })
  )

  it.live("is found by a job that retries another, unless it is fresh; its key is the same, too", () =>
    Effect.gen(function* () {
      const { ran } = yield* counting
      const isDown = yield* Ref.make(true)
      const work: Work = ({ step, stepKey }) =>
        Effect.gen(function* () {
          const done = yield* step("done", ran)
          yield* step(
            "down",
            Effect.flatMap(Ref.get(isDown), (down) => (down ? Effect.fail("down") : Effect.void))
          )
          return [done, stepKey("done")]
        })
      yield* Effect.gen(function* () {
        const orders = yield* Order
        const first = yield* orders.start({})
        expect(yield* ended(first)).toMatchObject({ status: "failed" })
        const second = yield* orders.retry(first)
        expect(yield* ended(second)).toMatchObject({ status: "failed" })
        yield* Ref.set(isDown, false)
        const third = yield* orders.retry(second)
        expect(yield* ended(third)).toMatchObject({ status: "completed", chain: first, result: [1, `${first}/done`] })
        const fresh = yield* orders.retry(third, { again: true, fresh: true })
        expect(yield* ended(fresh)).toMatchObject({ status: "completed", result: [2, `${fresh}/done`] })
      }).pipe(Effect.provide(layer(work)))
    })
  )

  it.live("commits before it what it has emitted", () =>
    Effect.gen(function* () {
      const work: Work = ({ emit, step }) => step("a", emit({ type: "inside" }))
      const types = yield* lived.pipe(
        // An event that is emitted has no value to record.
        Effect.tap(({ result }) => expect(result).toBeNull()),
        Effect.flatMap(({ id }) => Effect.flatMap(Order, ({ events }) => Stream.runCollect(events(id)))),
        Effect.map((events) => Chunk.toReadonlyArray(events).map(({ type }) => type)),
        Effect.provide(layer(work))
      )
      expect(types).toEqual(["job.started", "inside", "job.step", "job.completed"])
    })
  )

  it.live("that an end of the manager interrupts runs again in the next attempt; what it did until then is kept", () =>
    Effect.gen(function* () {
      const services = yield* Layer.build(RunStore.layerMemory)
      const { ran } = yield* counting
      const begun = yield* Deferred.make<void>()
      const work: Work = ({ attempt, step }) =>
        Effect.gen(function* () {
          const done = yield* step("done", ran)
          yield* step("open", attempt === 1 ? Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never) : ran)
          return done
        })
      const manager = (scope: Scope.Scope) =>
        Effect.map(
          Layer.buildWithScope(Order.layer({ run: work }), scope).pipe(Effect.provide(services)),
          Context.get(Order)
        )
      const first = yield* Scope.make()
      const id = yield* Effect.flatMap(manager(first), (orders) => orders.start({}))
      yield* Deferred.await(begun)
      yield* Scope.close(first, Exit.void)
      const orders = yield* manager(yield* Effect.scope)
      expect(yield* orders.await(id)).toMatchObject({ status: "completed", attempt: 2, result: 1 })
    }).pipe(Effect.scoped)
  )

  it.live("reads the steps of earlier attempts by one query, and none of the first attempt", () =>
    Effect.gen(function* () {
      const reads = yield* Ref.make(0)
      const services = yield* Layer.build(RunStore.layerMemory)
      const counted = RunStore.RunStore.context(
        ((store) => ({
          ...store,
          steps: {
            ...store.steps,
            recall: (chain: JobId.JobId) =>
              Effect.zipRight(
                Ref.update(reads, (n) => n + 1),
                store.steps.recall(chain)
              )
          }
        }))(Context.get(services, RunStore.RunStore))
      )
      const work: Work = ({ attempt, park, step }) =>
        Effect.zipRight(
          Effect.forEach(["a", "b", "c"], (name) => step(name, Effect.void), { concurrency: "unbounded" }),
          attempt === 1 ? park(go) : Effect.void
        )
      yield* lived.pipe(
        Effect.provide(Order.layer({ run: work }).pipe(Layer.provideMerge(Layer.succeedContext(counted))))
      )
      expect(yield* Ref.get(reads)).toBe(1)
    }).pipe(Effect.scoped)
  )
})

describe("a job with 10,000 steps", () => {
  it.live("has no further step, and waits for no child: each child for which it waits is a step", () =>
    Effect.gen(function* () {
      const full = Layer.map(RunStore.layerMemory, (services) => {
        const store = Context.get(services, RunStore.RunStore)
        const recall = (jobId: JobId.JobId) =>
          Effect.succeed(
            Array.makeBy(10_000, (n) => ({ seq: n + 1, name: `${n}`, jobId, tries: 0, ok: true, value: undefined }))
          )
        return Context.add(services, RunStore.RunStore, { ...store, steps: { ...store.steps, recall } })
      })
      const work: Work = ({ attempt, child, park, step }) =>
        attempt === 1
          ? park(go)
          : Effect.map(Effect.all([step("one more", Effect.void), child(Order, {})].map(Effect.exit)), (exits) =>
              exits.map(String)
            )
      const { result } = yield* lived.pipe(Effect.provide(Order.layer({ run: work }).pipe(Layer.provideMerge(full))))
      const problem = "a job has at most 10000 steps, and each child for which it waits is one of them"
      expect(result).toMatchObject([
        expect.stringContaining(`step one more: ${problem}`),
        expect.stringMatching(new RegExp(`step child/order-\\w+: ${problem}`))
      ])
    })
  )
})

describe("a step in a transaction of the application", () => {
  it.live("is a defect", () =>
    Effect.gen(function* () {
      const database = Database.layer({ filename: ":memory:" })
      const layer = Layer.unwrapEffect(
        Effect.map(SqlClient.SqlClient, (sql) =>
          Order.layer({ run: ({ step }) => sql.withTransaction(step("a", Effect.void)) })
        )
      )
      const run = yield* lived.pipe(
        Effect.provide(layer.pipe(Layer.provideMerge(RunStore.layer), Layer.provide(database)))
      )
      expect(run).toMatchObject({ status: "failed", error: { kind: "defect" } })
      expect(run.error?.cause).toContain("inside a transaction")
    })
  )
})
