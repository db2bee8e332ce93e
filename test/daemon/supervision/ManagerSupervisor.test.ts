/** A daemon's manager over the loss of its jobs, which a database that is away brings about. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { AlreadyManaged, StoreError } from "charlotte/errors"
import { Deferred, Effect, Exit, Fiber, Layer, Ref, Scope, Stream, TestClock } from "effect"
import * as ManagerSupervisor from "../../../src/daemon/supervision/ManagerSupervisor.js"
import { config } from "../../support/jobs.js"

const unreachable = new StoreError({ operation: "open", reason: "unreachable", cause: new Error("nothing answers") })

/** A supervisor whose managers are lost when the test says so, and fail to be built with what it has put there. */
const setUp = Effect.gen(function* () {
  const mayEnd = yield* Deferred.make<void>()
  const failures = yield* Ref.make<ReadonlyArray<StoreError | AlreadyManaged | "defect">>([])
  const built = yield* Ref.make<ReadonlyArray<ManagerSupervisor.OnLost>>([])
  const scope = yield* Scope.make()
  const orchestrator = Orchestrator.layer(({ attempt, emit }) =>
    Effect.zipRight(emit({ type: "step", payload: attempt }), Deferred.await(mayEnd))
  )
  const { manager, problems } = yield* ManagerSupervisor.make((onLost) =>
    Layer.unwrapEffect(
      Effect.gen(function* () {
        const [failure, ...others] = yield* Ref.get(failures)
        yield* Ref.set(failures, others)
        if (failure === "defect") return yield* Effect.dieMessage("a bug")
        if (failure !== undefined) return yield* failure
        yield* Ref.update(built, (all) => [...all, onLost])
        return Layer.provide(JobManager.layer(), orchestrator)
      })
    )
  ).pipe(Scope.extend(scope))
  /** As the manager does when it has no answer of the database; `letGo` is what that takes. */
  const lose = (letGo: Effect.Effect<void> = Effect.void) =>
    Effect.flatMap(Ref.get(built), (all) => all.at(-1)?.(letGo) ?? Effect.void)
  /** Lets all that is ready run. */
  const settle = Effect.repeatN(Effect.yieldNow(), 1_000)
  return { manager, problems, failures, mayEnd, lose, settle, scope, built }
})

const withStore = Effect.provide(RunStore.layerMemory)

describe("the manager of a daemon", () => {
  it.scoped("is replaced by another, which continues the jobs; streams and waits go on with that one", () =>
    Effect.gen(function* () {
      const { lose, manager, mayEnd, problems, settle } = yield* setUp
      const id = yield* manager.start(config)
      yield* Stream.runDrain(Stream.take(manager.events(id), 2))
      const events = yield* Effect.fork(Stream.runCollect(manager.events(id)))
      const all = yield* Effect.fork(Stream.runCollect(Stream.take(manager.allEvents(), 6)))
      const latest = yield* Effect.fork(Stream.runCollect(Stream.take(manager.allEvents({ after: "latest" }), 4)))
      const ended = yield* Effect.fork(manager.await(id))
      yield* settle
      yield* lose()
      yield* settle
      yield* Deferred.succeed(mayEnd, undefined)
      expect(yield* Fiber.join(ended)).toMatchObject({ status: "completed", attempt: 2 })
      const types = ["job.started", "step", "job.interrupted", "job.resumed", "step", "job.completed"]
      expect([...(yield* Fiber.join(events))].map(({ type }) => type)).toEqual(types)
      expect([...(yield* Fiber.join(all))].map(({ type }) => type)).toEqual(types)
      expect([...(yield* Fiber.join(latest))].map(({ type }) => type)).toEqual(types.slice(2))
      expect(yield* problems).toEqual([])
    }).pipe(withStore)
  )

  it.scoped("is missing until one can be built, which is tried every second, and says why", () =>
    Effect.gen(function* () {
      const { built, failures, lose, manager, problems, settle } = yield* setUp
      const other = new AlreadyManaged({ kind: "tasks", pid: 7 })
      yield* Ref.set(failures, [unreachable, unreachable, other])
      const mayLetGo = yield* Deferred.make<void>()
      const losing = yield* Effect.fork(lose(Deferred.await(mayLetGo)))
      yield* settle
      expect(yield* problems).toEqual([expect.stringContaining("the database has not answered")])
      expect(yield* Effect.flip(manager.start(config))).toMatchObject({ _tag: "StoreError", reason: "unreachable" })
      expect([yield* manager.list, yield* manager.activeCount]).toEqual([[], 0])
      const stopping = yield* Effect.fork(manager.stopAll)
      yield* settle
      expect((yield* Ref.get(failures)).length).toBe(3)

      yield* Deferred.succeed(mayLetGo, undefined)
      yield* Fiber.join(losing)
      yield* settle
      expect(yield* problems).toEqual([unreachable.message])
      yield* TestClock.adjust("1 second")
      yield* settle
      expect(yield* problems).toEqual([unreachable.message])
      yield* TestClock.adjust("1 second")
      yield* settle
      expect(yield* problems).toEqual([other.message])
      expect((yield* Ref.get(built)).length).toBe(1)
      yield* TestClock.adjust("1 second")
      yield* settle
      expect(yield* problems).toEqual([])
      expect((yield* Ref.get(built)).length).toBe(2)
      expect(yield* Fiber.join(stopping)).toEqual([])
      yield* manager.start(config)
    }).pipe(withStore)
  )

  it.scoped("is built again after a defect, which is reported", () =>
    Effect.gen(function* () {
      const { failures, lose, manager, problems, settle } = yield* setUp
      yield* Ref.set(failures, ["defect"])
      yield* lose()
      yield* settle
      expect(yield* problems).toEqual(["a bug"])
      yield* TestClock.adjust("1 second")
      yield* settle
      expect(yield* problems).toEqual([])
      yield* manager.start(config)
    }).pipe(withStore)
  )

  it.scoped("ends with the daemon, also while it is missing: streams and waits end", () =>
    Effect.gen(function* () {
      const { failures, lose, manager, scope, settle } = yield* setUp
      const id = yield* manager.start(config)
      const events = yield* Effect.fork(Stream.runDrain(manager.allEvents()))
      const ended = yield* Effect.fork(manager.await(id))
      yield* settle
      yield* Ref.set(
        failures,
        Array.from({ length: 100 }, () => unreachable)
      )
      yield* lose()
      yield* settle
      expect([yield* Fiber.poll(events), yield* Fiber.poll(ended)]).toMatchObject([{ _tag: "None" }, { _tag: "None" }])
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(events)
      expect(yield* Fiber.join(ended)).toMatchObject({ status: "interrupted" })
    }).pipe(withStore)
  )

  it.scoped("must be there at first", () =>
    Effect.gen(function* () {
      const failing = ManagerSupervisor.make(() => Layer.fail(unreachable))
      expect(yield* Effect.flip(failing)).toBe(unreachable)
    }).pipe(withStore)
  )
})
