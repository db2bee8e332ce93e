/** A manager whose layer closes while something goes on. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, Orchestrator, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Option, Scope, TestClock } from "effect"
import { config } from "../support/jobs.js"

const memory = Effect.map(Layer.build(RunStore.layerMemory), Context.get(RunStore.RunStore))

/** A manager on that store, and what closes its layer. */
const open = (
  store: RunStore.Service,
  orchestrator: Orchestrator.Service<unknown>,
  options: JobManager.LayerOptions = {}
) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* JobManager.layer(options).pipe(
      Layer.provide([Layer.succeed(RunStore.RunStore, store), Layer.succeed(Orchestrator.Orchestrator, orchestrator)]),
      Layer.buildWithScope(scope)
    )
    return { manager: Context.get(services, JobManager.JobManager), close: Scope.close(scope, Exit.void) }
  })

const never: Orchestrator.Service<unknown> = { run: () => Effect.never }

/** A run that was interrupted. */
const interrupted = (store: RunStore.Service) =>
  Effect.gen(function* () {
    const { close, manager } = yield* open(store, never)
    const id = yield* manager.start(config)
    yield* close
    return id
  })

const statusOf = (store: RunStore.Service, id: JobId.JobId) =>
  Effect.map(Effect.flatten(store.get(id)), ({ attempt, status }) => [status, attempt])

const turns = Effect.repeatN(Effect.yieldNow(), 100)

const checks: Record<string, (release: Effect.Effect<void>) => Effect.Effect<Orchestrator.Checked>> = {
  "can be interrupted": () => Effect.never,
  "cannot be interrupted": (release) => Effect.uninterruptible(Effect.as(release, { key: "the repository" }))
}

describe.each(Object.entries(checks))("a check that %s, while the layer closes,", (_, check) => {
  for (const call of ["start", "resume"] as const) {
    it.scopedLive(`ends its ${call} with ShuttingDown, and leaves no trace`, () =>
      Effect.gen(function* () {
        const store = yield* memory
        const old = yield* interrupted(store)
        const checking = yield* Deferred.make<void>()
        const latch = yield* Effect.makeLatch()
        const ran: Array<number> = []
        const { close, manager } = yield* open(
          store,
          {
            check: () => Effect.zipRight(Deferred.succeed(checking, undefined), check(latch.await)),
            run: () => Effect.sync(() => ran.push(1))
          },
          { recovery: "manual" }
        )
        const refusal: Effect.Effect<{ readonly _tag: string }, unknown> =
          call === "start" ? Effect.flip(manager.start(config)) : Effect.flip(manager.resume(old))
        const calling = yield* Effect.fork(refusal)
        yield* Deferred.await(checking)
        const closing = yield* Effect.fork(close)
        yield* turns
        yield* latch.open
        expect((yield* Fiber.join(calling))._tag).toBe("ShuttingDown")
        yield* Fiber.join(closing)
        expect(ran).toEqual([])
        expect((yield* store.list()).map(({ attempt, id, status }) => [id, status, attempt])).toEqual([
          [old, "interrupted", 1]
        ])
      }).pipe(Effect.timeout("2 minutes"))
    )
  }
})

describe("a layer that closes", () => {
  it.scopedLive("waits for its jobs with a grace period that exceeds the longest timer of Node", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const working = yield* Deferred.make<void>()
      const { close, manager } = yield* open(
        store,
        {
          run: () =>
            Deferred.succeed(working, undefined).pipe(
              Effect.zipRight(Effect.never),
              Effect.onInterrupt(() => Effect.sleep("50 millis"))
            )
        },
        { stopGrace: "30 days" }
      )
      const id = yield* manager.start(config)
      yield* Deferred.await(working)
      yield* close
      expect(yield* statusOf(store, id)).toEqual(["interrupted", 1])
    })
  )

  it.scopedLive("never runs a job that is admitted meanwhile, and leaves it to the next manager", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const committing = yield* Deferred.make<void>()
      const latch = yield* Effect.makeLatch()
      const ran: Array<number> = []
      const { close, manager } = yield* open(
        {
          ...store,
          create: (run) =>
            Deferred.succeed(committing, undefined).pipe(
              Effect.zipRight(latch.await),
              Effect.zipRight(store.create(run))
            )
        },
        { run: ({ attempt }) => Effect.sync(() => ran.push(attempt)) }
      )
      const starting = yield* Effect.fork(manager.start(config))
      yield* Deferred.await(committing)
      const closing = yield* Effect.fork(close)
      yield* turns
      yield* latch.open
      const id = yield* Fiber.join(starting)
      yield* Fiber.join(closing)
      expect(ran).toEqual([])
      expect(yield* statusOf(store, id)).toEqual(["interrupted", 1])
    })
  )

  it.scopedLive("leaves a run alone that waits to be continued and is stopped too late", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const old = yield* interrupted(store)
      const begun = yield* Deferred.make<void>()
      const cleaning = yield* Deferred.make<void>()
      const latch = yield* Effect.makeLatch()
      const { close, manager } = yield* open(
        store,
        {
          run: () =>
            Effect.acquireRelease(Deferred.succeed(begun, undefined), () =>
              Effect.zipRight(Deferred.succeed(cleaning, undefined), latch.await)
            ).pipe(Effect.zipRight(Effect.never))
        },
        { recovery: "manual" }
      )
      yield* manager.start(config)
      yield* Deferred.await(begun)
      const closing = yield* Effect.fork(close)
      yield* Deferred.await(cleaning)
      expect(yield* Effect.flip(manager.stop(old))).toMatchObject({ _tag: "StoreError", reason: "closed" })
      yield* latch.open
      yield* Fiber.join(closing)
      expect(yield* statusOf(store, old)).toEqual(["interrupted", 1])
    })
  )

  it.scoped("lets await of a job that refuses to end return, and gives up its kind when that has ended", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const begun = yield* Deferred.make<void>()
      const { close, manager } = yield* open(store, {
        run: () => Effect.uninterruptible(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.sleep("1 minute")))
      })
      const id = yield* manager.start(config)
      yield* Deferred.await(begun)
      const waiting = yield* Effect.fork(manager.await(id))
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(closing)
      expect(yield* Fiber.join(waiting)).toMatchObject({ id, status: "running" })
      // One that begins to wait now does not wait either.
      expect(yield* manager.await(id)).toMatchObject({ id, status: "running" })
      expect(yield* Effect.flip(open(store, never))).toMatchObject({ _tag: "AlreadyManaged" })

      yield* TestClock.adjust("54 seconds")
      yield* turns
      expect(yield* statusOf(store, id)).toEqual(["interrupted", 1])
      const next = yield* open(store, { run: () => Effect.succeed("done") })
      expect(yield* next.manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
      yield* next.close
    })
  )

  it.scoped("waits for a job with a slow finalizer, also when its closing is interrupted twice more", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const begun = yield* Deferred.make<void>()
      const order: Array<string> = []
      const { close, manager } = yield* open(store, {
        run: () =>
          Effect.acquireRelease(Deferred.succeed(begun, undefined), () =>
            Effect.delay(
              Effect.sync(() => order.push("released")),
              "2 seconds"
            )
          ).pipe(Effect.zipRight(Effect.never))
      })
      const id = yield* manager.start(config)
      yield* Deferred.await(begun)
      // As a program does that ends on a signal: each further signal interrupts it again.
      const closing = yield* Effect.fork(Effect.onInterrupt(Effect.never, () => close))
      yield* Effect.yieldNow()
      for (const _ of ["first", "second", "third"]) {
        yield* Fiber.interruptFork(closing)
        yield* TestClock.adjust("500 millis")
      }
      expect(Option.isNone(yield* Fiber.poll(closing))).toBe(true)
      yield* TestClock.adjust("500 millis")
      yield* Fiber.await(closing)
      expect(order).toEqual(["released"])
      expect(yield* statusOf(store, id)).toEqual(["interrupted", 1])
    })
  )
})
