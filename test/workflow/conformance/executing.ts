/** What executions come to, and what activities record. */
import { expect, it } from "@effect/vitest"
import { Activity, DurableDeferred, Workflow } from "@effect/workflow"
import { JobKind, type RunStore } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Cause, Effect, Exit, Layer, Option, Schema } from "effect"
import { Engine as ClusterEngine } from "../../../src/cluster/Engine.js"
import * as kindProducer from "../../../src/manager/internal/kindProducer.js"
import { idempotencyKey, Paid, pay, payload, reaches, Refused, runOf, stepsOf, Waiting, withEngine } from "../scene.js"

export const executing = (store: Layer.Layer<RunStore.RunStore>): void => {
  it.effect("execute a workflow once for each key, also with another payload, and remember its exit", () =>
    Effect.gen(function* () {
      const greeted: Array<string> = []
      const Greet = Workflow.make({
        name: "Greet",
        payload: { ...payload, to: Schema.String },
        success: Schema.String,
        error: Refused,
        idempotencyKey
      })
      const workflows = Greet.toLayer(({ to }) =>
        Effect.gen(function* () {
          yield* Activity.make({ name: "say", execute: Effect.sync(() => void greeted.push(to)) })
          return to === "Eve" ? yield* new Refused({ why: "a stranger" }) : `hello ${to}`
        })
      )
      const id = yield* Greet.executionId({ id: "a", to: "Ada" })
      yield* Effect.gen(function* () {
        expect(yield* Greet.poll(id)).toBeUndefined()
        expect(yield* Greet.execute({ id: "a", to: "Ada" })).toBe("hello Ada")
        expect(yield* Greet.execute({ id: "a", to: "Bob" })).toBe("hello Ada")
        expect(yield* Greet.execute({ id: "a", to: "Bob" }, { discard: true })).toBe(id)
        const refused = yield* Effect.flip(Greet.execute({ id: "b", to: "Eve" }))
        expect(refused).toEqual(new Refused({ why: "a stranger" }))
      }).pipe(withEngine(workflows))
      yield* Effect.gen(function* () {
        expect(yield* Greet.execute({ id: "a", to: "Ada" })).toBe("hello Ada")
        expect(yield* Greet.poll(id)).toEqual(new Workflow.Complete({ exit: Exit.succeed("hello Ada") }))
        expect(yield* Effect.flip(Greet.execute({ id: "b", to: "Eve" }))).toBeInstanceOf(Refused)
      }).pipe(withEngine(Layer.empty))
      expect(greeted).toEqual(["Ada", "Eve"])
      const run = Option.getOrThrow(yield* runOf(Greet, id))
      expect(yield* stepsOf(run.id)).toEqual(["activity/say/1", "exit"])
      const typed = yield* JobKind.decodeRun(Workflows.kind(Greet))(run)
      expect(typed).toMatchObject({ status: "completed", result: "hello Ada", config: { id: "a", to: "Ada" } })
    }).pipe(Effect.provide(store))
  )

  it.effect("retry an activity, with a step for each attempt, and do none again that is recorded", () =>
    Effect.gen(function* () {
      const ran: Array<number> = []
      const send = Activity.make({
        name: "send",
        success: Schema.DateFromString,
        error: Refused,
        execute: Effect.gen(function* () {
          const attempt = yield* Activity.CurrentAttempt
          ran.push(attempt)
          return attempt < 3 ? yield* new Refused({ why: `attempt ${attempt}` }) : new Date(0)
        })
      })
      const workflows = Waiting.toLayer(() =>
        Effect.gen(function* () {
          const sent = yield* Activity.retry(send, { times: 5 })
          yield* DurableDeferred.await(Paid)
          return `sent at ${sent.toISOString()}`
        })
      )
      yield* Effect.gen(function* () {
        const id = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* reaches(Waiting, id, "parked")
        yield* pay(Waiting, id)
        expect(yield* Waiting.execute({ id: "a" })).toBe("sent at 1970-01-01T00:00:00.000Z")
        const run = Option.getOrThrow(yield* runOf(Waiting, id))
        expect(yield* stepsOf(run.id)).toEqual(["activity/send/1!", "activity/send/2!", "activity/send/3", "exit"])
        expect(run.attempt).toBe(2)
      }).pipe(withEngine(workflows))
      expect(ran).toEqual([1, 2, 3])
    }).pipe(Effect.provide(store))
  )

  it.effect("record the defects of activities and of workflows, and hand them on as errors", () =>
    Effect.gen(function* () {
      const odd = Object.assign(new Error("timed out"), { big: 1n })
      const workflows = Waiting.toLayer(({ id }) =>
        Activity.make({ name: "dies", execute: Effect.die(odd) }).pipe(
          Effect.catchAllCause((cause) =>
            id === "caught" ? Effect.succeed(Cause.pretty(cause)) : Effect.failCause(cause)
          ),
          Effect.map(String)
        )
      )
      yield* Effect.gen(function* () {
        expect(yield* Waiting.execute({ id: "caught" })).toContain("timed out")
        const exit = yield* Effect.exit(Waiting.execute({ id: "dies" }))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ message: "timed out" })
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("suspend on failure, with the cause as the reason, until they are resumed", () =>
    Effect.gen(function* () {
      let isBroken = true
      const Careful = Workflow.make({ name: "Careful", payload, success: Schema.String, idempotencyKey }).annotate(
        Workflow.SuspendOnFailure,
        true
      )
      const workflows = Careful.toLayer(() =>
        Activity.make({
          name: "fragile",
          success: Schema.String,
          execute: Effect.suspend(() => (isBroken ? Effect.die("boom") : Effect.succeed("mended")))
        })
      )
      yield* Effect.gen(function* () {
        const id = yield* Careful.execute({ id: "a" }, { discard: true })
        const run = yield* reaches(Careful, id, "parked")
        expect(run.parked?.reason).toContain("boom")
        expect(yield* Careful.poll(id)).toMatchObject({ _tag: "Suspended" })
        isBroken = false
        yield* Careful.resume(id)
        expect(yield* Careful.execute({ id: "a" })).toBe("mended")
      }).pipe(withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("that are executed before they are registered wait for that, also in another engine", () =>
    Effect.gen(function* () {
      const id = yield* withEngine(Layer.empty)(Waiting.execute({ id: "a" }, { discard: true }))
      expect(Option.getOrThrow(yield* runOf(Waiting, id)).status).toBe("pending")
      const workflows = Waiting.toLayer(() => Effect.succeed("at last"))
      expect(yield* withEngine(workflows)(Waiting.execute({ id: "a" }))).toBe("at last")
    }).pipe(Effect.provide(store))
  )

  it.effect("are interrupted before they begin, too", () =>
    Effect.gen(function* () {
      yield* Effect.gen(function* () {
        const id = yield* Waiting.execute({ id: "a" }, { discard: true })
        yield* Waiting.interrupt(id)
        yield* reaches(Waiting, id, "cancelled")
        expect(Exit.isInterrupted(yield* Effect.exit(Waiting.execute({ id: "a" })))).toBe(true)
        yield* Waiting.interrupt("no such execution")
        yield* Waiting.resume("no such execution")
      }).pipe(withEngine(Layer.empty))
    }).pipe(Effect.provide(store))
  )

  it.effect("are not retried, since another execution needs another key", () =>
    Effect.gen(function* () {
      const workflows = Waiting.toLayer(() => new Refused({ why: "sold out" }))
      yield* Effect.gen(function* () {
        yield* Effect.flip(Waiting.execute({ id: "a" }))
        const run = Option.getOrThrow(yield* runOf(Waiting, yield* Waiting.executionId({ id: "a" })))
        const producer = yield* kindProducer.make(Workflows.kind(Waiting))
        const refused = yield* Effect.flip(producer.retry(run.id))
        expect(refused).toMatchObject({ _tag: "NotRetryable", message: expect.stringContaining("another key") })
      }).pipe(Effect.scoped, withEngine(workflows))
    }).pipe(Effect.provide(store))
  )

  it.effect("are refused in a cluster", () =>
    Effect.gen(function* () {
      // oxlint-disable-next-line typescript/consistent-type-assertions -- an engine of which nothing is called
      const cluster = Layer.succeed(ClusterEngine, {} as ClusterEngine["Type"])
      const refused = yield* Effect.exit(Effect.provide(Effect.void, Layer.provide(Workflows.layer(), cluster)))
      expect(Exit.isFailure(refused) && Cause.pretty(refused.cause)).toContain("do not run in a cluster")
    }).pipe(Effect.provide(store))
  )

  it.effect("are registered once under a name, which is one of a job", () =>
    Effect.gen(function* () {
      const workflows = Waiting.toLayer(() => Effect.succeed(""))
      const twice = Layer.mergeAll(
        workflows,
        Waiting.toLayer(() => Effect.succeed("other"))
      )
      const exit = yield* Effect.exit(withEngine(twice)(Effect.void))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("registered already")
      const both = withEngine(workflows)(withEngine(workflows)(Effect.void))
      const managed = yield* Effect.exit(both)
      expect(Exit.isFailure(managed) && Cause.squash(managed.cause)).toMatchObject({ _tag: "AlreadyManaged" })
      const odd = Workflow.make({ name: "with space", payload, idempotencyKey }).toLayer(() => Effect.void)
      const refused = yield* Effect.exit(withEngine(odd)(Effect.void))
      expect(Exit.isFailure(refused) && Cause.pretty(refused.cause)).toContain("the name of a workflow")
    }).pipe(Effect.provide(store))
  )
}
