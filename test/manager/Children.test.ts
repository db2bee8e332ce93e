/** Every fiber that an orchestrator has started is part of its job, and has ended with it, however it ends. */
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, Orchestrator, RunStore } from "charlotte"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Ref, Schedule, Scope } from "effect"
import { config } from "../support/jobs.js"

type Child = Effect.Effect<void>

/** Where a child is forked. `isLate`: not before the work has ended. */
const places: Record<
  string,
  { readonly fork: (child: Child) => Effect.Effect<unknown, never, Scope.Scope>; isLate?: true }
> = {
  "Effect.fork": { fork: Effect.fork },
  "Effect.forkScoped": { fork: Effect.forkScoped },
  "Effect.forkIn the scope of the job": {
    fork: (child) => Effect.flatMap(Effect.scope, (scope) => Effect.forkIn(child, scope))
  },
  "Effect.fork in a child": { fork: (child) => Effect.fork(Effect.zipRight(Effect.fork(child), Effect.never)) },
  "Effect.fork in a finalizer": { fork: (child) => Effect.addFinalizer(() => Effect.fork(child)), isLate: true },
  "Effect.forkScoped in a finalizer": {
    fork: (child) => Effect.addFinalizer(() => Effect.forkScoped(child)),
    isLate: true
  },
  "Effect.forkScoped in a finalizer that a finalizer has added": {
    fork: (child) => Effect.addFinalizer(() => Effect.addFinalizer(() => Effect.forkScoped(child))),
    isLate: true
  }
}

const moment = Effect.sleep("20 millis")

const children: Record<string, Child> = {
  "with a slow finalizer": Effect.interruptible(Effect.onExit(Effect.never, () => moment)),
  "that cannot be interrupted": Effect.uninterruptible(moment)
}

/** A world in which at most one job is active, and all jobs have one key. */
const makeWorld = (place: (typeof places)[string], child: Child) =>
  Effect.gen(function* () {
    const alive = yield* Ref.make(0)
    const begun = yield* Deferred.make<void>()
    const end = yield* Deferred.make<string, string>()
    // How many children were alive when a terminal event was written, and when the next job began.
    const atEnd: Array<number> = []
    const atNext: Array<number> = []

    const counted = Effect.acquireUseRelease(
      Effect.zipRight(
        Ref.update(alive, (n) => n + 1),
        Deferred.succeed(begun, undefined)
      ),
      () => child,
      () => Ref.update(alive, (n) => n - 1)
    )
    let runs = 0
    const service: Orchestrator.Service<unknown> = {
      check: () => Effect.succeed({ key: "the repository" }),
      run: () =>
        Effect.gen(function* () {
          runs += 1
          if (runs > 1) {
            atNext.push(yield* Ref.get(alive))
            return "next"
          }
          yield* place.fork(counted)
          if (place.isLate === undefined) yield* Deferred.await(begun)
          else yield* Deferred.succeed(begun, undefined)
          return yield* Deferred.await(end)
        })
    }
    const memory = Context.get(yield* Layer.build(RunStore.layerMemory), RunStore.RunStore)
    const store: RunStore.Service = {
      ...memory,
      record: (change) =>
        Effect.zipRight(
          change.type === "job.stopping" ? Effect.void : Effect.map(Ref.get(alive), (n) => atEnd.push(n)),
          memory.record(change)
        )
    }
    const manager = JobManager.layer({ maxJobs: 1 }).pipe(
      Layer.provide([Layer.succeed(Orchestrator.Orchestrator, service), Layer.succeed(RunStore.RunStore, store)])
    )
    return { alive: Ref.get(alive), begun: Deferred.await(begun), end, atEnd, atNext, manager }
  })

type World = Effect.Effect.Success<ReturnType<typeof makeWorld>>
type Manager = JobManager.JobManager["Type"]

const endings: Record<string, (manager: Manager, id: JobId.JobId, world: World) => Effect.Effect<unknown, unknown>> = {
  "it succeeds": (manager, id, { end }) => Effect.zipRight(Deferred.succeed(end, "done"), manager.await(id)),
  "it fails": (manager, id, { end }) => Effect.zipRight(Deferred.fail(end, "broken"), manager.await(id)),
  "it is stopped": (manager, id) => manager.stop(id),
  "all are stopped": (manager) => manager.stopAll
}

/** Starts a job as soon as there is room for it. */
const startNext = (manager: Manager) => Effect.retry(manager.start(config), Schedule.spaced("1 millis"))

describe.each(Object.keys(places))("a child of %s", (where) => {
  const place = places[where]
  if (place === undefined) return
  for (const [what, child] of Object.entries(children)) {
    for (const [how, bring] of Object.entries(endings)) {
      it.scopedLive(`${what} has ended when ${how}, before the terminal event, the answer and the next job`, () =>
        Effect.gen(function* () {
          const world = yield* makeWorld(place, child)
          yield* Effect.gen(function* () {
            const manager = yield* JobManager.JobManager
            const id = yield* manager.start(config)
            yield* world.begun
            const next = yield* Effect.fork(startNext(manager))
            yield* bring(manager, id, world)
            expect(yield* world.alive).toBe(0)
            yield* manager.await(yield* Fiber.join(next))
            expect(world.atEnd).toEqual([0, 0])
            expect(world.atNext).toEqual([0])
          }).pipe(Effect.provide(world.manager))
        })
      )
    }

    it.scopedLive(`${what} has ended when the layer has closed, and before the next manager continues the job`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld(place, child)
        const scope = yield* Scope.make()
        const first = Context.get(yield* Layer.buildWithScope(world.manager, scope), JobManager.JobManager)
        const id = yield* first.start(config)
        yield* world.begun
        yield* Scope.close(scope, Exit.void)
        expect(yield* world.alive).toBe(0)
        const run = yield* Effect.flatMap(JobManager.JobManager, (manager) => manager.await(id)).pipe(
          Effect.provide(Layer.fresh(world.manager))
        )
        expect(run).toMatchObject({ status: "completed", attempt: 2 })
        expect(world.atEnd).toEqual([0, 0])
        expect(world.atNext).toEqual([0])
      })
    )
  }
})

/** How work leaves its job, on purpose or not (docs/job-lifecycle.md). */
const leaving: Record<string, (work: Effect.Effect<void>, other: Scope.Scope) => Effect.Effect<unknown>> = {
  "in Effect.forkDaemon": Effect.forkDaemon,
  "in Effect.forkIn another scope": (work, other) => Effect.forkIn(work, other),
  "in Effect.disconnect of an uninterruptible region": (work) => Effect.disconnect(Effect.uninterruptible(work)),
  "behind Effect.async without a cleanup": (work) =>
    Effect.async<void>((resume) => void Effect.runPromise(work).then(() => resume(Effect.void)))
}

describe("a stop does not end what has left the job", () => {
  for (const [where, leave] of Object.entries(leaving)) {
    it.scoped(where, () =>
      Effect.gen(function* () {
        const other = yield* Effect.scope
        const [begun, gate, ended] = yield* Effect.all([
          Deferred.make<void>(),
          Deferred.make<void>(),
          Deferred.make<void>()
        ])
        const work = Deferred.succeed(begun, undefined).pipe(
          Effect.zipRight(Deferred.await(gate)),
          Effect.zipRight(Deferred.succeed(ended, undefined)),
          Effect.asVoid
        )
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* Deferred.await(begun)
          expect((yield* manager.stop(id)).mode).toBe("graceful")
          expect(yield* Deferred.isDone(ended)).toBe(false)
          yield* Deferred.succeed(gate, undefined)
          yield* Deferred.await(ended)
        }).pipe(
          Effect.provide(
            JobManager.layer().pipe(
              Layer.provide([
                Orchestrator.layer(() => Effect.zipRight(leave(work, other), Effect.never)),
                RunStore.layerMemory
              ])
            )
          )
        )
      })
    )
  }
})
