/** Jobs that start others and wait for them, without holding a permit. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobKind, RunStore } from "charlotte"
import { Array, Cause, DateTime, Deferred, Effect, Exit, Layer, Option, Ref, Schema } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import { isLong } from "../support/long.js"

const Refused = Schema.TaggedStruct("Refused", { until: Schema.Date })

class Part extends JobKind.Tag<Part>()("part", {
  config: Schema.Struct({ n: Schema.Number }),
  success: Schema.BigInt,
  error: Refused,
  group: ({ n }) => (n === 7 ? "sevens" : undefined)
}) {}

class Whole extends JobKind.Tag<Whole>()("whole", { config: Schema.Struct({}) }) {}

type Work = (
  job: Parameters<JobKind.LayerOptions<typeof Whole, never, never>["run"]>[0]
) => Effect.Effect<unknown, unknown>
type PartWork = JobKind.LayerOptions<typeof Part, never, never>["run"]

const patience = { pause: 5, atMost: "10 minutes" } as const

const recordOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, (store) => Effect.flatten(store.get(id)))

const until = (id: JobId.JobId, status: string) =>
  poll(recordOf(id), { until: (run) => run.status === status, ...patience })

const childrenOf = (chain: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) => Effect.map(store.children.list({ chain, limit: 1_000 }), Array.reverse))

const lived = Effect.gen(function* () {
  const wholes = yield* Whole
  const id = yield* wholes.start({})
  yield* wholes.await(id)
  return yield* recordOf(id)
})

const never: PartWork = () => Effect.never

const layer = (
  run: Work,
  part: PartWork,
  options: Partial<JobKind.LayerOptions<typeof Whole, never, never>> = {},
  maxJobs = 1
) =>
  Layer.merge(Whole.layer({ run, maxJobs: 1, ...options }), Part.layer({ run: part, maxJobs })).pipe(
    Layer.provideMerge(RunStore.layerMemory)
  )

describe("a child", () => {
  it.live("runs once, while its parent is parked, and returns its decoded result; both are linked", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const runs = yield* Ref.make(0)
      const work: Work = ({ attempt, child }) =>
        Effect.map(child(Part, { n: 7 }, { name: "seven" }), (value) => [attempt, String(value + 1n)])
      const part: PartWork = ({ config: { n } }) =>
        Ref.update(runs, (all) => all + 1).pipe(Effect.zipRight(Deferred.await(go)), Effect.as(BigInt(n)))
      yield* Effect.gen(function* () {
        const wholes = yield* Whole
        const id = yield* wholes.start({})
        const parked = yield* until(id, "parked")
        expect(parked).toMatchObject({ waitsFor: "child", parked: { reason: "waits for a child", children: 1 } })
        expect(yield* wholes.activeCount).toBe(0)
        const [found] = yield* childrenOf(id)
        expect(found).toMatchObject({ name: "seven", kind: "part" })
        yield* Deferred.succeed(go, undefined)
        yield* wholes.await(id)
        expect(yield* recordOf(id)).toMatchObject({ status: "completed", attempt: 2, result: [2, "8"] })
        const run = yield* recordOf(Option.getOrThrow(Option.fromNullable(found)).jobId)
        const { createdAt, endedAt = createdAt } = run
        expect(run).toMatchObject({ parent: id, status: "completed", attempt: 1, group: "sevens" })
        expect(yield* Ref.get(runs)).toBe(1)
        const steps = yield* Effect.flatMap(RunStore.RunStore, (store) => store.steps.latest({ chain: id, limit: 9 }))
        const millis = DateTime.distance(createdAt, endedAt)
        expect(steps).toMatchObject([{ name: "child/seven", ok: true, millis }])
      }).pipe(Effect.provide(layer(work, part)))
    })
  )

  it.live("of the same kind runs with one permit, at any depth", () =>
    Effect.gen(function* () {
      class Deep extends JobKind.Tag<Deep>()("deep", {
        config: Schema.Struct({ depth: Schema.Number }),
        success: Schema.Number
      }) {}
      const deep = Deep.layer({
        maxJobs: 1,
        run: ({ child, config: { depth } }) =>
          depth === 0
            ? Effect.succeed(0)
            : Effect.map(Effect.orDie(child(Deep, { depth: depth - 1 })), (below) => below + 1)
      })
      const run = yield* Effect.flatMap(Deep, (deeps) =>
        Effect.flatMap(deeps.start({ depth: 20 }), (id) => deeps.await(id))
      ).pipe(Effect.provide(Layer.provide(deep, RunStore.layerMemory)))
      expect(run).toMatchObject({ status: "completed", result: 20 })
    })
  )

  it.live("fails its parent with its typed failure, and with ChildFailed if it was cancelled or has died", () =>
    Effect.gen(function* () {
      const parent: Work = ({ child }) =>
        Effect.all(
          [0, 1, 2].map((n) => Effect.either(child(Part, { n }, { name: `part ${n}` }))),
          { concurrency: "unbounded" }
        ).pipe(Effect.map((all) => all.map((either) => (either._tag === "Left" ? either.left : either.right))))
      const part: PartWork = ({ cancel, config: { n } }) => {
        if (n === 0) return Effect.fail(Refused.make({ until: new Date(5) }))
        return n === 1 ? cancel : Effect.dieMessage("no")
      }
      const run = yield* lived.pipe(Effect.provide(layer(parent, part)))
      expect(run).toMatchObject({
        status: "completed",
        result: [
          { _tag: "Refused", until: "1970-01-01T00:00:00.005Z" },
          { _tag: "ChildFailed", child: "part 1", kind: "part", status: "cancelled" },
          { _tag: "ChildFailed", child: "part 2", status: "failed", error: { kind: "defect" } }
        ]
      })
    })
  )

  it.live("that is only started returns its id, and its parent goes on; asked for again, it is the same", () =>
    Effect.gen(function* () {
      const work: Work = ({ child }) =>
        Effect.all([
          child(Part, { n: 1 }, { wait: false, name: "a" }),
          child(Part, { n: 2 }, { wait: false, name: "a" }),
          child(Part, { n: 2 }, { wait: false }),
          child(Part, { n: 2 }, { wait: false })
        ])
      const [run, children] = yield* Effect.flatMap(lived, (run) =>
        Effect.map(childrenOf(run.id), (children) => [run, children] as const)
      ).pipe(Effect.provide(layer(work, () => Effect.succeed(0n))))
      const ids = children.map(({ jobId }) => jobId)
      expect(run).toMatchObject({ status: "completed", attempt: 1, result: [ids[0], ids[0], ids[1], ids[1]] })
    })
  )

  it.live("waits until a manager of its kind runs", () =>
    Effect.gen(function* () {
      const work: Work = ({ child }) => Effect.map(Effect.orDie(child(Part, { n: 3 })), String)
      yield* Effect.gen(function* () {
        const wholes = yield* Whole
        const id = yield* wholes.start({})
        yield* until(id, "parked")
        const parts = Part.layer({ run: ({ config: { n } }) => Effect.succeed(BigInt(n)) })
        yield* Effect.provide(wholes.await(id), parts)
        expect(yield* recordOf(id)).toMatchObject({ status: "completed", result: "3" })
      }).pipe(Effect.provide(Layer.provideMerge(Whole.layer({ run: work }), RunStore.layerMemory)))
    })
  )

  it.live("is waited for only once the other steps have ended, and does not begin them again", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const ended = yield* Deferred.make<void>()
      const work: Work = ({ child, step }) =>
        Effect.zip(
          Effect.orDie(child(Part, { n: 1 })),
          step(
            "slow",
            Effect.zipRight(
              Ref.update(runs, (all) => all + 1),
              Deferred.await(ended)
            )
          ),
          { concurrent: true }
        )
      const part: PartWork = () => Effect.as(Deferred.succeed(ended, undefined), 1n)
      const run = yield* lived.pipe(Effect.provide(layer(work, part)))
      expect(run).toMatchObject({ status: "completed", attempt: 2 })
      expect(yield* Ref.get(runs)).toBe(1)
    })
  )

  it.live("within a step is waited for without the step being an obstacle", () =>
    Effect.gen(function* () {
      const work: Work = ({ child, step }) => step("outer", Effect.map(Effect.orDie(child(Part, { n: 4 })), String))
      const run = yield* lived.pipe(Effect.provide(layer(work, () => Effect.succeed(4n))))
      expect(run).toMatchObject({ status: "completed", attempt: 2, result: "4" })
    })
  )

  it.live("that loses a race does not keep its parent from waiting for another one", () =>
    Effect.gen(function* () {
      const last = yield* Deferred.make<void>()
      const work: Work = ({ child }) =>
        Effect.raceFirst(Effect.orDie(child(Part, { n: 1 })), Effect.orDie(child(Part, { n: 2 }))).pipe(
          Effect.zipRight(Effect.orDie(child(Part, { n: 3 }))),
          Effect.map(String)
        )
      const part: PartWork = ({ config: { n } }) => Effect.as(n === 3 ? Deferred.await(last) : Effect.void, BigInt(n))
      yield* Effect.gen(function* () {
        const wholes = yield* Whole
        const id = yield* wholes.start({})
        const parts = Effect.map(childrenOf(id), (all) => all.filter(({ status }) => status === "completed"))
        yield* poll(parts, { until: ({ length }) => length === 2, ...patience })
        yield* poll(recordOf(id), { until: ({ waitsFor }) => waitsFor === "child", ...patience })
        yield* Deferred.succeed(last, undefined)
        yield* wholes.await(id)
        expect(yield* recordOf(id)).toMatchObject({ status: "completed", result: "3" })
        expect((yield* recordOf(id)).attempt).toBeLessThanOrEqual(5)
      }).pipe(Effect.provide(layer(work, part, {}, 3)))
    })
  )

  it.live("that has failed is retried with its parent, in its own chain, and the results of the others are kept", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make<ReadonlyArray<number>>([])
      const parent: Work = ({ child }) =>
        Effect.map(
          Effect.forEach([1, 2, 3], (n) => child(Part, { n }, { name: `part ${n}` })),
          (all) => all.map(String)
        )
      const part: PartWork = ({ config: { n }, step }) =>
        Effect.gen(function* () {
          const first = yield* step(
            "first",
            Effect.as(
              Ref.update(runs, (all) => [...all, n]),
              true
            )
          )
          const tried = (yield* Ref.get(runs)).length + Number(first)
          yield* Ref.update(runs, (all) => [...all, n])
          return n === 2 && tried === 4 ? yield* Effect.fail(Refused.make({ until: new Date(0) })) : BigInt(n)
        })
      yield* Effect.gen(function* () {
        const wholes = yield* Whole
        const failed = yield* lived
        expect(failed).toMatchObject({ status: "failed", error: { kind: "failure" } })
        const id = yield* wholes.retry(failed.id)
        yield* wholes.await(id)
        expect(yield* recordOf(id)).toMatchObject({ status: "completed", result: ["1", "2", "3"] })
        // The first step of the second part was not done again.
        expect(yield* Ref.get(runs)).toEqual([1, 1, 2, 2, 2, 3, 3])
        const children = yield* childrenOf(failed.id)
        const second = Option.getOrThrow(Array.findFirst(children, ({ name }) => name === "part 2"))
        const run = yield* recordOf(second.jobId)
        expect(run).toMatchObject({ parent: id, status: "completed" })
        expect(run.retryOf).toBeDefined()
        // Its idempotency key is of the chain, whichever run has asked for it first.
        const parts = yield* Part
        const third = yield* parts.start({ n: 3 }, { idempotencyKey: `${failed.id}/part 3` })
        expect(children.map(({ jobId }) => jobId)).toContain(third)
      }).pipe(Effect.provide(layer(parent, part)))
    })
  )

  it.live("that has failed is retried when its parent is, as its kind says", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      const work: Work = ({ child }) => Effect.map(child(Part, { n: 1 }), String)
      const part: PartWork = () =>
        Effect.flatMap(
          Ref.updateAndGet(runs, (all) => all + 1),
          (n) => (n === 1 ? Effect.fail(Refused.make({ until: new Date(0) })) : Effect.succeed(BigInt(n)))
        )
      const run = yield* lived.pipe(Effect.provide(layer(work, part, { retry: { times: 1, delay: () => 1 } })))
      expect(run).toMatchObject({ status: "completed", tries: 1, result: "2" })
    })
  )

  it.live("is stopped with its parent, a pending one at once, unless it is to be left", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const work: Work = ({ child }) =>
        Effect.all(
          [1, 2, 3].map((n) =>
            Effect.orDie(child(Part, { n }, { name: `part ${n}`, onParentStop: n === 3 ? "leave" : "stop" }))
          ),
          { concurrency: "unbounded" }
        )
      const part: PartWork = ({ config: { n } }) =>
        n === 3 ? Effect.succeed(3n) : Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      yield* Effect.gen(function* () {
        const wholes = yield* Whole
        const id = yield* wholes.start({})
        yield* until(id, "parked")
        const first = Option.getOrThrow(Array.head(yield* childrenOf(id)))
        yield* until(first.jobId, "running")
        yield* wholes.stop(id)
        expect(yield* recordOf(id)).toMatchObject({ status: "cancelled" })
        yield* Deferred.await(interrupted)
        const ended = poll(childrenOf(id), {
          until: (all) => all.every(({ status }) => status === "cancelled" || status === "completed"),
          ...patience
        })
        const statuses = (yield* ended).map(({ name, status }) => `${name} ${status}`)
        expect(statuses.sort()).toEqual(["part 1 cancelled", "part 2 cancelled", "part 3 completed"])
      }).pipe(Effect.provide(layer(work, part)))
    })
  )

  it.live("is stopped with a running parent, and with one that runs for its stop", () =>
    Effect.gen(function* () {
      for (const onStop of ["cancel", "run"] as const) {
        const began = yield* Deferred.make<void>()
        const work: Work = ({ child, stopping }) =>
          Effect.gen(function* () {
            yield* child(Part, { n: 1 }, { wait: false })
            if (yield* stopping) return
            yield* Deferred.succeed(began, undefined)
            if (onStop === "cancel") return yield* Effect.never
            return yield* Effect.orDie(child(Part, { n: 1 }))
          })
        yield* Effect.gen(function* () {
          const wholes = yield* Whole
          const id = yield* wholes.start({})
          yield* Deferred.await(began)
          if (onStop === "run") yield* until(id, "parked")
          yield* wholes.stop(id)
          const [only] = yield* childrenOf(id)
          yield* until(Option.getOrThrow(Option.fromNullable(only)).jobId, "cancelled")
          expect(yield* recordOf(id)).toMatchObject({ status: "cancelled" })
        }).pipe(Effect.provide(layer(work, never, { onStop })))
      }
    })
  )

  it.live("is a defect of its parent with an invalid configuration, an unfit name, or a name of another kind", () =>
    Effect.gen(function* () {
      const work: Work = ({ child }) =>
        Effect.gen(function* () {
          yield* child(Part, { n: 1 }, { name: "taken", wait: false })
          const refused = yield* Effect.forEach(
            [
              // @ts-expect-error: the type refuses it, too
              child(Part, { n: "1" }, { wait: false }),
              child(Part, { n: 1 }, { name: "", wait: false }),
              child(Part, { n: 1 }, { name: "ü".repeat(101), wait: false }),
              child(Whole, {}, { name: "taken", wait: false })
            ],
            Effect.exit
          )
          return refused.map((exit) => (Exit.isFailure(exit) ? Cause.pretty(exit.cause).split("\n")[0] : "started"))
        })
      const run = yield* lived.pipe(Effect.provide(layer(work, () => Effect.succeed(1n))))
      expect(run.result).toEqual([
        expect.stringContaining("config"),
        "RuntimeException: child : a name has 1 to 200 bytes",
        expect.stringContaining("a name has 1 to 200 bytes"),
        "RuntimeException: child taken: it is a job of kind part, not whole"
      ])
    })
  )

  const most = isLong ? 1_000 : 200

  it.live(`is one of ${most}, of which one runs at a time, and all of them are seen`, () =>
    Effect.gen(function* () {
      const work: Work = ({ child }) =>
        Effect.forEach(Array.range(1, most), (n) => Effect.orDie(child(Part, { n })), {
          concurrency: "unbounded"
        }).pipe(Effect.map((all) => String(all.reduce((sum, n) => sum + n, 0n))))
      const run = yield* lived.pipe(Effect.provide(layer(work, ({ config: { n } }) => Effect.succeed(BigInt(n)))))
      expect(run).toMatchObject({ status: "completed", result: String((most * (most + 1)) / 2) })
      // It does not begin at each end: every attempt asks for all of them again.
      expect(run.attempt).toBeLessThanOrEqual(most / 5)
    })
  )
})
