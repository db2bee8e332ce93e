/** Where a job has its services from: the layer of its orchestrator, or the scope in which its manager was made. */
import { describe, expect, it } from "@effect/vitest"
import { type errors, JobManager, Orchestrator, RunStore } from "charlotte"
import { Context, Effect, Layer, ParseResult, Schema, type Scope } from "effect"
import { config } from "../support/jobs.js"

class Name extends Context.Tag("test/Name")<Name, string>() {}
class Checker extends Context.Tag("test/Checker")<Checker, string>() {}
class Prefix extends Context.Tag("test/Prefix")<Prefix, string>() {}

describe("Orchestrator.layer", () => {
  it.effect("gives a job the services of its own layer, and not those around the manager or its callers", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const run = yield* manager.await(yield* Effect.provideService(manager.start(config), Name, "the caller's"))
      expect(run.result).toBe("its own")
    }).pipe(
      Effect.provide(
        JobManager.layer().pipe(
          Layer.provide(Orchestrator.layer(() => Name).pipe(Layer.provide(Layer.succeed(Name, "its own")))),
          Layer.provide([RunStore.layerMemory, Layer.succeed(Name, "the manager's")])
        )
      )
    )
  )

  it.effect("gives a child of a job, and its finalizers, the same", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const note = Effect.map(Name, (name) => seen.push(name))
      const Noting = Orchestrator.layer(() =>
        Effect.gen(function* () {
          const context = yield* Effect.context<Name>()
          yield* Effect.addFinalizer(() => Effect.provide(note, context))
          yield* Effect.flatMap(Effect.fork(note), (fiber) => fiber.await)
        })
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        yield* manager.await(yield* manager.start(config))
        expect(seen).toEqual(["its own", "its own"])
      }).pipe(
        Effect.provide(
          JobManager.layer().pipe(
            Layer.provide(Layer.provide(Noting, Layer.succeed(Name, "its own"))),
            Layer.provide([RunStore.layerMemory, Layer.succeed(Name, "the manager's")])
          )
        )
      )
    })
  )
})

/** Its encoded form begins with the prefix. */
const Prefixed = Schema.transformOrFail(Schema.String, Schema.String, {
  strict: true,
  decode: (text, _, ast) =>
    Effect.flatMap(Prefix, (prefix) =>
      text.startsWith(prefix)
        ? ParseResult.succeed(text.slice(prefix.length))
        : ParseResult.fail(new ParseResult.Type(ast, text, `does not begin with ${prefix}`))
    ),
  encode: (text) => Effect.map(Prefix, (prefix) => prefix + text)
})

describe("make", () => {
  // The type says what it needs: the scope of a job is not among it.
  const make: Effect.Effect<
    JobManager.Service<string, string>,
    errors.StoreError | errors.AlreadyManaged,
    Name | Checker | Prefix | RunStore.RunStore | Scope.Scope
  > = JobManager.make({
    kind: "prefixed",
    config: Prefixed,
    orchestrator: {
      check: (text: string) => Effect.map(Checker, (key) => ({ key: key + text })),
      recover: () => Effect.asVoid(Checker),
      run: (job: Orchestrator.JobContext<string>) =>
        Effect.flatMap(Name, (name) =>
          Effect.acquireRelease(Effect.succeed(`${name} of ${job.config}`), () => Effect.void)
        )
    }
  })

  it.scoped("takes what run, check, recover and the schema need from its caller", () =>
    Effect.gen(function* () {
      const manager = yield* make.pipe(
        Effect.provideService(Name, "run"),
        Effect.provideService(Checker, "check "),
        Effect.provideService(Prefix, "v1:")
      )
      const id = yield* manager.start("v1:a")
      const run = yield* manager.await(id)
      expect(run).toMatchObject({ status: "completed", config: "v1:a", result: "run of a" })
      const error = yield* Effect.flip(manager.start("v2:a"))
      expect(error.message).toContain("does not begin with v1:")
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
