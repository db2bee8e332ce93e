/** What ends a job, and what the record says: the table of the contract, row by row. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, JobKind, JobManager, Orchestrator, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Chunk, Data, Effect, Exit, Fiber, Layer, Option, Schema, Scope, Stream, TestClock } from "effect"
import { config } from "../support/jobs.js"

class OutOfCoffee extends Data.TaggedError("OutOfCoffee")<{ readonly cups: number }> {
  override get message() {
    return `only ${this.cups} cups left`
  }
}

/** The record of a job that took these steps, and its events. */
const ended = (...steps: ReadonlyArray<Step.Step>) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
    const id = yield* manager.start(config)
    yield* send(id, ...steps)
    const run = yield* manager.await(id)
    return { run, events: yield* eventsOf(id) }
  })

const eventsOf = (id: JobId.JobId) =>
  Effect.flatMap(JobManager.JobManager, ({ events }) =>
    Effect.map(Stream.runCollect(events(id)), Chunk.toReadonlyArray)
  )

const types = (events: ReadonlyArray<{ readonly type: string }>) => events.map(({ type }) => type)

describe("an orchestrator that succeeds", () => {
  it.effect("completes its job; the value is kept as JSON, and what JSON cannot say as its string", () =>
    Effect.gen(function* () {
      const { events, run } = yield* ended(Step.succeed({ big: 10n, not: Number.NaN, list: [1, "two"] }))
      expect(run).toMatchObject({ status: "completed", result: { big: "10", not: "NaN", list: [1, "two"] } })
      expect(run.error).toBeUndefined()
      expect(run.endedAt).toBeDefined()
      expect(types(events)).toEqual(["job.started", "job.completed"])
      const store = yield* RunStore.RunStore
      expect(yield* store.get(run.id)).toEqual(Option.some(run))
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("a result nested deeper than SQLite accepts", () => {
  it.scopedLive("does not prevent its job from ending", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const run = yield* manager.await(yield* manager.start(config))
      expect(run.status).toBe("completed")
      expect(JSON.stringify(run.result)).toContain("[too deep]")
    }).pipe(
      Effect.provide(
        JobManager.layer().pipe(
          Layer.provide(Orchestrator.layer(() => Effect.sync(() => nested(1_500)))),
          Layer.provide(RunStore.layer),
          Layer.provide(Database.layer({ filename: ":memory:" }))
        )
      )
    )
  )
})

const nested = (levels: number): unknown => {
  let value: unknown = null
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

describe("an orchestrator that fails", () => {
  it.effect("fails its job; an error keeps its name, its message and its data", () =>
    Effect.gen(function* () {
      const { events, run } = yield* ended(Step.fail(new OutOfCoffee({ cups: 2 })))
      expect(run.status).toBe("failed")
      expect(run.error).toMatchObject({
        kind: "failure",
        error: { _tag: "OutOfCoffee", name: "OutOfCoffee", message: "only 2 cups left", cups: 2 }
      })
      expect(run.error?.cause).toContain("only 2 cups left")
      expect(events.at(-1)).toMatchObject({ type: "job.failed", payload: { error: { kind: "failure" } } })
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("with a defect touches no other job", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const other = yield* manager.start(config)
      const { run } = yield* ended(Step.die(new TypeError("boom")))
      expect(run.error).toMatchObject({ kind: "defect", error: { name: "TypeError", message: "boom" } })
      expect(yield* manager.list).toEqual([other])
      expect((yield* manager.stop(other)).status).toBe("cancelled")
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("by interrupting itself fails its job as interrupted", () =>
    Effect.gen(function* () {
      const { run } = yield* ended(Step.interrupt)
      expect(run).toMatchObject({ status: "failed", error: { kind: "interrupted" } })
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("by emitting a reserved event type fails its job with a defect that says so", () =>
    Effect.gen(function* () {
      const { events, run } = yield* ended(Step.emit({ type: "job.completed" }))
      expect(run).toMatchObject({ status: "failed", error: { kind: "defect" } })
      expect(run.error?.cause).toContain("job.")
      expect(types(events)).toEqual(["job.started", "job.failed"])
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

/** What a `run` that a type checker has not seen may do. */
const faulty: Record<string, { readonly run: () => Effect.Effect<never>; readonly message: string }> = {
  throws: {
    run: () => {
      throw new Error("no mailbox")
    },
    message: "no mailbox"
  },
  "returns no effect": { run: () => JSON.parse("5"), message: "Not a valid effect: 5" }
}

class Parcel extends JobKind.Tag<Parcel>()("parcel", { config: Schema.Struct({ to: Schema.String }) }) {}

for (const [what, { message, run }] of Object.entries(faulty)) {
  describe(`a run that ${what}`, () => {
    const defect = { status: "failed", error: { kind: "defect", error: { message } } }
    const check = () => Effect.succeed({ key: "the repository" })
    const make = (run: Orchestrator.Service<unknown>["run"]) =>
      JobManager.make({ kind: "letters", config: Schema.Unknown, orchestrator: { check, run }, maxJobs: 1 })

    it.scoped("fails its job, whose permit, key and idempotency key are free", () =>
      Effect.gen(function* () {
        const manager = yield* make(run)
        for (let n = 0; n < 2; n++) {
          const id = yield* manager.start(n, { key: "k", idempotencyKey: `${n}` })
          expect(yield* manager.await(id)).toMatchObject(defect)
          expect(yield* manager.start(n, { key: "k", idempotencyKey: `${n}` })).toBe(id)
        }
        expect(yield* manager.activeCount).toBe(0)
      }).pipe(Effect.provide(RunStore.layerMemory))
    )

    it.scoped("fails a job that was queued", () =>
      Effect.gen(function* () {
        const manager = yield* make(run)
        const id = yield* manager.start("later", { delay: "1 hour" })
        yield* TestClock.adjust("1 hour")
        expect(yield* manager.await(id)).toMatchObject(defect)
      }).pipe(Effect.provide(RunStore.layerMemory))
    )

    it.scoped("fails a job that is continued", () =>
      Effect.gen(function* () {
        const id = yield* Effect.scoped(
          Effect.flatMap(
            make(() => Effect.never),
            (manager) => manager.start("a")
          )
        )
        const manager = yield* make(run)
        expect(yield* manager.await(id)).toMatchObject({ ...defect, attempt: 2 })
      }).pipe(Effect.provide(RunStore.layerMemory))
    )

    it.effect("fails a job of Orchestrator.layer", () =>
      Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        expect(yield* manager.await(yield* manager.start(config))).toMatchObject(defect)
      }).pipe(Effect.provide(JobManager.layer().pipe(Layer.provide([Orchestrator.layer(run), RunStore.layerMemory]))))
    )

    it.effect("fails a job of a kind", () =>
      Effect.gen(function* () {
        const parcels = yield* Parcel
        expect(yield* parcels.await(yield* parcels.start({ to: "ada" }))).toMatchObject(defect)
      }).pipe(Effect.provide(Parcel.layer({ run }).pipe(Layer.provide(RunStore.layerMemory))))
    )
  })
}

describe("a job that is stopped", () => {
  it.effect("is cancelled, and a defect in a finalizer on the way is kept", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
      yield* manager.stop(id)
      const run = yield* manager.await(id)
      expect(run).toMatchObject({ status: "cancelled", error: { kind: "defect", error: { message: "jammed" } } })
      expect(types(yield* eventsOf(id))).toEqual(["job.started", "job.stopping", "job.cancelled"])
    }).pipe(Effect.provide(TestManager.layer({ script: () => [Step.dieCleaningUp(new Error("jammed"))] })))
  )

  it.effect("records events of its finalizers before its terminal event", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* send(id, (job) => Effect.addFinalizer(() => job.emit({ type: "last.words" })))
      yield* began(id)
      yield* Effect.yieldNow()
      yield* manager.stop(id)
      expect(types(yield* eventsOf(id))).toEqual(["job.started", "job.stopping", "last.words", "job.cancelled"])
    }).pipe(Effect.provide(TestManager.layer()))
  )
})

describe("a layer that closes", () => {
  const store = RunStore.layerMemory

  const managerIn = (
    scope: Scope.Scope,
    options: Parameters<typeof ScriptedOrchestrator.layer>[0] & JobManager.LayerOptions
  ) =>
    Effect.flatMap(RunStore.RunStore, (service) =>
      JobManager.layer(options).pipe(
        Layer.provideMerge(Layer.merge(Layer.succeed(RunStore.RunStore, service), ScriptedOrchestrator.layer(options))),
        Layer.buildWithScope(scope)
      )
    )

  it.effect("leaves its jobs interrupted, and the next manager continues them as their next attempt", () =>
    Effect.gen(function* () {
      const { get } = yield* RunStore.RunStore
      const first = yield* Scope.make()
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const id = yield* manager.start(config)
        yield* began(id)
        return id
      }).pipe(Effect.provide(yield* managerIn(first, {})))
      yield* Scope.close(first, Exit.void)
      expect((yield* Effect.flatten(get(id))).status).toBe("interrupted")

      const second = yield* Scope.make()
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { began, send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        yield* began(id, 2)
        yield* send(id, Step.succeed("at last"))
        expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2, result: "at last" })
        expect(types(yield* eventsOf(id))).toEqual(["job.started", "job.interrupted", "job.resumed", "job.completed"])
      }).pipe(Effect.provide(yield* managerIn(second, {})))
      yield* Scope.close(second, Exit.void)
    }).pipe(Effect.provide(store))
  )

  it.effect("interrupts all jobs at once and waits for them under one deadline", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const ids = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const ids = yield* Effect.replicateEffect(manager.start(config), 30)
        yield* Effect.forEach(ids, (id) => began(id))
        return ids
      }).pipe(Effect.provide(yield* managerIn(scope, { maxJobs: 30, script: () => [Step.cleanUp("300 millis")] })))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("300 millis")
      yield* Fiber.join(closing)
      const { list } = yield* RunStore.RunStore
      expect(yield* list({ status: "interrupted" })).toHaveLength(ids.length)
    }).pipe(Effect.provide(store))
  )

  it.effect("waits until a deadline, and its jobs are not resumed while they still run", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const options = { stopGrace: "5 seconds" as const, script: () => [Step.ignoreInterruption("1 minute")] }
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        const id = yield* manager.start(config)
        yield* began(id)
        return id
      }).pipe(Effect.provide(yield* managerIn(scope, options)))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(closing)
      const { get } = yield* RunStore.RunStore
      expect((yield* Effect.flatten(get(id))).status).toBe("running")
      const error = yield* Effect.flip(managerIn(scope, {}))
      expect(error).toMatchObject({ _tag: "AlreadyManaged", kind: "tasks", pid: process.pid })
    }).pipe(Effect.provide(store))
  )
})
