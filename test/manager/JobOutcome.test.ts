/** The outcome of a job is what its work came to, whatever happens while its finalizers run. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Cause, Context, Deferred, Effect, Exit, Fiber, FiberId, Layer, Scope } from "effect"
import { config } from "../support/jobs.js"

const works: Record<string, readonly [work: Effect.Effect<unknown, unknown>, status: string, kind?: string]> = {
  succeeded: [Effect.succeed("done"), "completed"],
  failed: [Effect.fail("broken"), "failed", "failure"],
  "failed while a sibling was interrupted": [
    Effect.all([Effect.delay(Effect.fail("broken"), 1), Effect.never], { concurrency: 2 }),
    "failed",
    "failure"
  ],
  "died while a sibling was interrupted": [
    Effect.all([Effect.never, Effect.delay(Effect.die("broken"), 1)], { concurrency: 2 }),
    "failed",
    "defect"
  ],
  "failed beside one that was interrupted": [
    Effect.failCause(Cause.parallel(Cause.interrupt(FiberId.none), Cause.fail("broken"))),
    "failed",
    "failure"
  ],
  "interrupted itself": [Effect.interrupt, "failed", "interrupted"]
}

const during = ["a stop", "stopAll", "the closing of the layer"] as const

describe("work that has", () => {
  for (const [what, [work, status, kind]] of Object.entries(works)) {
    for (const late of during) {
      it.scopedLive(`${what} makes its job ${kind ?? status}, also when ${late} comes while it cleans up`, () =>
        Effect.gen(function* () {
          const cleaning = yield* Deferred.make<void>()
          const clean = yield* Deferred.make<void>()
          const store = Context.get(yield* Layer.build(RunStore.layerMemory), RunStore.RunStore)
          const scope = yield* Scope.make()
          const services = yield* JobManager.layer().pipe(
            Layer.provide(Layer.succeed(RunStore.RunStore, store)),
            Layer.provide(
              Orchestrator.layer(() =>
                Effect.zipRight(
                  Effect.addFinalizer(() =>
                    Effect.zipRight(Deferred.succeed(cleaning, undefined), Deferred.await(clean))
                  ),
                  work
                )
              )
            ),
            Layer.buildWithScope(scope)
          )
          const manager = Context.get(services, JobManager.JobManager)
          const id = yield* manager.start(config)
          yield* Deferred.await(cleaning)
          const ending = yield* Effect.fork(
            late === "a stop"
              ? Effect.asVoid(manager.stop(id))
              : late === "stopAll"
                ? Effect.asVoid(manager.stopAll)
                : Scope.close(scope, Exit.void)
          )
          yield* Effect.repeatN(Effect.yieldNow(), 100)
          yield* Deferred.succeed(clean, undefined)
          yield* Fiber.join(ending)
          const run = yield* Effect.flatten(store.get(id))
          expect([run.status, run.error?.kind]).toEqual([status, kind])
          yield* Scope.close(scope, Exit.void)
        })
      )
    }
  }
})

describe("a defect of a finalizer", () => {
  const cases: Record<string, readonly [Effect.Effect<unknown, unknown>, status: string, error: unknown]> = {
    "a job that was stopped is added to its error": [Effect.never, "cancelled", { kind: "defect", error: "jammed" }],
    "a job that succeeded fails it": [Effect.succeed(1), "failed", { kind: "defect", error: "jammed" }],
    "a job that failed leaves its failure": [Effect.fail("broken"), "failed", { kind: "failure", error: "broken" }]
  }
  for (const [what, [work, status, error]] of Object.entries(cases)) {
    it.live(`of ${what}`, () =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const Jamming = Orchestrator.layer(() =>
          Effect.zipRight(
            Effect.acquireRelease(Deferred.succeed(begun, undefined), () => Effect.die("jammed")),
            work
          )
        )
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* Deferred.await(begun)
          if (status === "cancelled") yield* manager.stop(id)
          expect(yield* manager.await(id)).toMatchObject({ status, error })
        }).pipe(Effect.provide(JobManager.layer().pipe(Layer.provide([Jamming, RunStore.layerMemory]))))
      })
    )
  }
})

describe("an error of many megabytes", () => {
  for (const kind of ["failure", "defect"] as const) {
    it.live(`is recorded as a ${kind} of 64 KiB at the most, with a mark`, () =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { error, status } = yield* manager.await(yield* manager.start(config))
        expect([status, error?.kind]).toEqual(["failed", kind])
        for (const text of [JSON.stringify(error?.error), error?.cause ?? ""]) {
          expect(Buffer.byteLength(text)).toBeLessThan(66 * 1024)
          expect(text).toContain("…")
        }
      }).pipe(
        Effect.provide(
          JobManager.layer().pipe(
            Layer.provide(
              Orchestrator.layer(() => {
                const error = new Error("x".repeat(5_000_000))
                return kind === "failure" ? Effect.fail(error) : Effect.die(error)
              })
            ),
            Layer.provide(RunStore.layerMemory)
          )
        )
      )
    )
  }
})
