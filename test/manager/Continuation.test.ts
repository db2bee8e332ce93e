/** A run that is continued by a manager that is not what the one before it was. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Orchestrator, RunStore } from "charlotte"
import { Context, Deferred, Effect, Fiber, Layer, Schema } from "effect"

interface Options<C, I> {
  readonly schema: Schema.Schema<C, I>
  readonly check?: Orchestrator.Service<C>["check"]
  readonly run?: Orchestrator.Service<C>["run"]
  readonly recovery?: "automatic" | "manual"
}

const memory = Effect.map(Layer.build(RunStore.layerMemory), Context.get(RunStore.RunStore))

const manage = <C, I>(store: RunStore.Service, { check, recovery, run = () => Effect.never, schema }: Options<C, I>) =>
  Effect.provideService(
    JobManager.make({
      kind: "any",
      config: schema,
      orchestrator: { run, ...(check === undefined ? {} : { check }) },
      ...(recovery === undefined ? {} : { recovery })
    }),
    RunStore.RunStore,
    store
  )

/** A run that a manager has left behind. */
const interrupted = <C, I>(store: RunStore.Service, schema: Schema.Schema<C, I>, config: I) =>
  Effect.scoped(Effect.flatMap(manage(store, { schema }), ({ start }) => start(config)))

const Named = Schema.Struct({ name: Schema.String })

describe("a run that is continued", () => {
  it.scopedLive("fails where the schema of its config has become stricter", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const id = yield* interrupted(store, Named, { name: "" })
      const manager = yield* manage(store, { schema: Schema.Struct({ name: Schema.NonEmptyString }) })
      const run = yield* manager.await(id)
      expect(run).toMatchObject({ status: "failed", attempt: 1, config: { name: "" }, error: { kind: "recovery" } })
      expect(run.error?.error).toContain("name")
    })
  )

  it.scopedLive(
    "is read where the schema of its config has become wider, and without a field that is no longer known",
    () =>
      Effect.gen(function* () {
        const store = yield* memory
        const id = yield* interrupted(store, Schema.Struct({ name: Schema.String, old: Schema.Number }), {
          name: "a",
          old: 1
        })
        const Wider = Schema.Struct({
          name: Schema.Union(Schema.String, Schema.Number),
          more: Schema.optionalWith(Schema.Number, { default: () => 7 })
        })
        const manager = yield* manage(store, { schema: Wider, run: ({ config }) => Effect.succeed(config) })
        expect(yield* manager.await(id)).toMatchObject({
          status: "completed",
          attempt: 2,
          result: { name: "a", more: 7 }
        })
      })
  )

  it.scopedLive("fails with the reason where its check dies", () =>
    Effect.gen(function* () {
      const store = yield* memory
      const id = yield* interrupted(store, Named, { name: "a" })
      const manager = yield* manage(store, { schema: Named, check: () => Effect.die(new TypeError("no such branch")) })
      const run = yield* manager.await(id)
      expect(run).toMatchObject({ status: "failed", error: { kind: "recovery", error: "its check has died" } })
      expect(run.error?.cause).toContain("no such branch")
    }).pipe(Effect.timeout("2 minutes"))
  )

  const cases = [
    ["automatic", "before"],
    ["automatic", "after"],
    ["manual", "before"],
    ["manual", "after"]
  ] as const
  for (const [method, when] of cases) {
    it.scopedLive(`is stopped when a stop comes just ${when} its ${method} continuation is committed`, () =>
      Effect.gen(function* () {
        const store = yield* memory
        const id = yield* interrupted(store, Named, { name: "a" })
        const committing = yield* Deferred.make<void>()
        const latch = yield* Effect.makeLatch()
        const wait = Effect.zipRight(Deferred.succeed(committing, undefined), latch.await)
        const held: RunStore.Service = {
          ...store,
          begin: (beginning) =>
            when === "before"
              ? Effect.zipRight(wait, store.begin(beginning))
              : Effect.zipLeft(store.begin(beginning), wait)
        }
        const manager = yield* manage(held, { schema: Named, recovery: method })
        if (method === "manual") yield* Effect.fork(Effect.exit(manager.resume(id)))
        yield* Deferred.await(committing)
        const stopping = yield* Effect.fork(manager.stop(id))
        // As long as the commit takes: it neither gives up nor cancels the run beneath it.
        yield* Effect.repeatN(Effect.yieldNow(), 3_000)
        expect(stopping.unsafePoll()).toBeNull()
        yield* latch.open
        expect(yield* Fiber.join(stopping)).toMatchObject({ status: "cancelled" })
        expect(yield* Effect.flatten(store.get(id))).toMatchObject({ status: "cancelled", attempt: 2 })
      })
    )
  }
})
