/** Every function of the context of a job, called from every place in which an application may call it: nothing hangs. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobKind, RunStore } from "charlotte"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Option, Schema, type Scope } from "effect"
import { poll } from "../../src/internal/RealClock.js"

class Part extends JobKind.Tag<Part>()("part", { config: Schema.Struct({ name: Schema.String }) }) {}

class Whole extends JobKind.Tag<Whole>()("whole", {
  config: Schema.Struct({ call: Schema.String, place: Schema.String })
}) {}

type Job = Parameters<JobKind.LayerOptions<typeof Whole, never, never>["run"]>[0]

const soon = new Date(8.64e14)

const calls = {
  emit: ({ emit }: Job) => emit({ type: "order.seen" }),
  flush: ({ flush }: Job) => flush,
  progress: ({ progress }: Job) => progress({ done: 1, total: 2 }),
  step: ({ step }: Job) => step("charge", Effect.succeed(1)),
  park: ({ park }: Job) =>
    park({ reason: "waits", signal: "go", until: Schema.decodeSync(Schema.DateTimeUtcFromDate)(soon) }),
  fail: ({ fail }: Job) => fail("no"),
  cancel: ({ cancel }: Job) => cancel,
  child: ({ child }: Job) => child(Part, { name: "waited" }),
  "child without waiting": ({ child }: Job) => child(Part, { name: "started" }, { wait: false })
}

type Call = Effect.Effect<unknown, unknown>

/** What a job does around a call; each ends by itself, or is stopped. */
const places = {
  body: (call: Call) => call,
  "finalizer of a success": (call: Call) =>
    Effect.as(
      Effect.addFinalizer(() => Effect.orDie(call)),
      1
    ),
  "finalizer of a failure": (call: Call) =>
    Effect.zipRight(
      Effect.addFinalizer(() => Effect.orDie(call)),
      Effect.fail("broken")
    ),
  "finalizer in an inner scope": (call: Call) =>
    Effect.scoped(
      Effect.as(
        Effect.addFinalizer(() => Effect.orDie(call)),
        1
      )
    ),
  "end of an effect": (call: Call) => Effect.ensuring(Effect.succeed(1), Effect.orDie(call)),
  acquisition: (call: Call) => Effect.acquireRelease(call, () => Effect.void),
  release: (call: Call) =>
    Effect.acquireUseRelease(
      Effect.void,
      () => Effect.succeed(1),
      () => Effect.orDie(call)
    ),
  fork: (call: Call) => Effect.flatMap(Effect.fork(call), Fiber.join),
  "fork in the scope of the job": (call: Call) => Effect.as(Effect.forkScoped(call), 1),
  "fork in a finalizer": (call: Call) =>
    Effect.as(
      Effect.addFinalizer(() => Effect.flatMap(Effect.fork(Effect.orDie(call)), Fiber.join)),
      1
    )
}

/** Places in work that runs until it is stopped. */
const placesOfStop = {
  interruption: (call: Call) => Effect.onInterrupt(Effect.never, () => Effect.orDie(call)),
  "finalizer of a stop": (call: Call) =>
    Effect.zipRight(
      Effect.addFinalizer(() => Effect.orDie(call)),
      Effect.never
    ),
  "fork in a finalizer of a stop": (call: Call) =>
    Effect.zipRight(
      Effect.addFinalizer(() => Effect.flatMap(Effect.fork(Effect.orDie(call)), Fiber.join)),
      Effect.never
    )
}

const tooLate = expect.stringContaining("comes too late: the work of job")

/** The calls that end the work, or wait outside of it. */
const ofWork = ["park", "fail", "cancel", "child"]

describe("a job context", () => {
  const all: Record<string, (call: Call) => Effect.Effect<unknown, unknown, Scope.Scope>> = {
    ...places,
    ...placesOfStop
  }
  /** A manager whose jobs make the call that their configuration names, in its place. */
  const layer = (begun: Deferred.Deferred<void>) =>
    Layer.mergeAll(
      Part.layer({ run: () => Effect.succeed(1), maxJobs: 10 }),
      Whole.layer({
        maxJobs: 1,
        run: (job) => {
          const { call, place } = job.config
          const made = Object.entries(calls).find(([name]) => name === call)?.[1] ?? (() => Effect.void)
          return Effect.zipRight(Deferred.succeed(begun, undefined), (all[place] ?? Effect.asVoid)(made(job)))
        }
      })
    ).pipe(Layer.provideMerge(RunStore.layerMemory))

  const recordOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, ({ get }) => Effect.flatten(get(id)))

  for (const place of [...Object.keys(places), ...Object.keys(placesOfStop)])
    it.live(`returns or dies in the ${place}, whatever is called, and leaves the permit free`, () =>
      Effect.gen(function* () {
        for (const call of Object.keys(calls)) {
          const begun = yield* Deferred.make<void>()
          const run = yield* Effect.gen(function* () {
            const wholes = yield* Whole
            const id = yield* wholes.start({ call, place })
            yield* Deferred.await(begun)
            if (place in placesOfStop) yield* wholes.stop(id, { grace: 0 })
            const run = yield* poll(recordOf(id), {
              until: ({ endedAt, status, parked }) =>
                endedAt !== undefined || (status === "parked" && parked?.signal === "go"),
              pause: 5,
              atMost: "1 minute"
            })
            // Only a free permit begins another job.
            const next = yield* wholes.start({ call: "flush", place: "body" }, { whenFull: "queue" })
            yield* wholes.await(next)
            return run
          }).pipe(Effect.provide(layer(begun)), Effect.scoped)
          const isLate = /finalizer of|fork in a finalizer/.test(place) && ofWork.includes(call)
          if (isLate) expect([place, call, run.error?.cause]).toEqual([place, call, tooLate])
        }
      })
    )

  it.live("is a defect once the job has ended, whatever is called", () =>
    Effect.gen(function* () {
      const kept = yield* Deferred.make<Job>()
      const layer = Layer.mergeAll(
        Part.layer({ run: () => Effect.succeed(1) }),
        Whole.layer({ run: (job) => Deferred.succeed(kept, job) })
      ).pipe(Layer.provideMerge(RunStore.layerMemory))
      yield* Effect.gen(function* () {
        const wholes = yield* Whole
        yield* wholes.await(yield* wholes.start({ call: "", place: "" }))
        const job = yield* Deferred.await(kept)
        for (const [call, made] of Object.entries(calls)) {
          const exit = yield* Effect.exit(made(job))
          const defect = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.dieOption(exit.cause)) : undefined
          expect([call, String(defect)]).toEqual([call, expect.stringContaining(`the job ${job.id} has ended`)])
        }
      }).pipe(Effect.provide(layer))
    })
  )
})
