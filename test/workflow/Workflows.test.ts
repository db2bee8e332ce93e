/**
 * The behaviour of an engine of `@effect/workflow`, of which the tests of that package and of the engine of `@effect/cluster` speak, and
 * what `charlotte/workflow` promises besides.
 */
import { describe, expect, it } from "@effect/vitest"
import { Activity, DurableClock, DurableDeferred, Workflow } from "@effect/workflow"
import { JobKind } from "charlotte"
import { Workflows } from "charlotte/workflow"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Schema, TestClock } from "effect"
import { Engine as ClusterEngine } from "../../src/cluster/Engine.js"
import * as kindProducer from "../../src/manager/internal/kindProducer.js"
import { poll } from "../../src/internal/RealClock.js"
import { reaches, runOf, stepsOf, stores, withEngine } from "./scene.js"

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

const idempotencyKey = ({ id }: { readonly id: string }) => id
const payload = { id: Schema.String }

/** An activity that notes its runs. */
const noting = (notes: Array<string>, name: string) =>
  Activity.make({ name, execute: Effect.sync(() => void notes.push(name)) })

const Paid = DurableDeferred.make("paid", { success: Schema.String, error: Refused })

const pay = (workflow: Workflow.Any, executionId: string, exit: Exit.Exit<string, Refused> = Exit.succeed("cash")) =>
  DurableDeferred.done(Paid, { token: DurableDeferred.tokenFromExecutionId(Paid, { workflow, executionId }), exit })

const Waiting = Workflow.make({ name: "Waiting", payload, success: Schema.String, error: Refused, idempotencyKey })

for (const [where, store] of Object.entries(stores)) {
  describe(`Workflows ${where}`, () => {
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

    it.effect("suspend at a clock, also within an activity, without a permit, until its time has come", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        const workflows = Waiting.toLayer(() =>
          Effect.gen(function* () {
            yield* noting(notes, "before")
            yield* DurableClock.sleep({ name: "month", duration: "30 days" })
            const inside = DurableClock.sleep({ name: "short", duration: 10, inMemoryThreshold: Duration.zero })
            yield* Activity.make({ name: "sleeps", execute: inside })
            yield* noting(notes, "after")
            return "awake"
          })
        )
        yield* Effect.gen(function* () {
          const ids = yield* Effect.forEach(["a", "b", "c"], (id) => Waiting.execute({ id }, { discard: true }))
          for (const id of ids) {
            const run = yield* reaches(Waiting, id, "parked")
            expect(run).toMatchObject({ waitsFor: "time", parked: { reason: "awaits DurableClock/month" } })
            expect(yield* Waiting.poll(id)).toEqual(new Workflow.Suspended({}))
          }
          yield* TestClock.adjust("29 days")
          expect(yield* Waiting.poll(ids[0] ?? "")).toEqual(new Workflow.Suspended({}))
          yield* TestClock.adjust("1 days")
          for (const id of ids) {
            yield* poll(runOf(Waiting, id), {
              until: Option.exists(({ parked }) => parked?.reason === "awaits DurableClock/short"),
              pause: 2,
              atMost: "1 minute"
            })
          }
          yield* TestClock.adjust(10)
          for (const id of ["a", "b", "c"]) expect(yield* Waiting.execute({ id })).toBe("awake")
          const run = Option.getOrThrow(yield* runOf(Waiting, ids[0] ?? ""))
          expect(run.attempt).toBe(3)
          expect(notes).toEqual(["before", "before", "before", "after", "after", "after"])
        }).pipe(withEngine(workflows, { maxJobs: 1 }))
      }).pipe(Effect.provide(store))
    )

    it.effect("sleep for a short time in memory", () =>
      Effect.gen(function* () {
        const workflows = Waiting.toLayer(() =>
          Effect.as(DurableClock.sleep({ name: "nap", duration: "1 seconds" }), "awake")
        )
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(Waiting.execute({ id: "a" }))
          yield* reaches(Waiting, yield* Waiting.executionId({ id: "a" }), "running")
          yield* TestClock.adjust("1 seconds")
          const awake = Effect.zipRight(TestClock.adjust("1 seconds"), Fiber.poll(fiber))
          yield* poll(awake, { until: Option.isSome, pause: 2, atMost: "1 minute" })
          expect(yield* Fiber.join(fiber)).toBe("awake")
        }).pipe(withEngine(workflows))
      }).pipe(Effect.provide(store))
    )

    it.effect("decide a deferred once, also before the start and without a registration", () =>
      Effect.gen(function* () {
        const workflows = Waiting.toLayer(() => DurableDeferred.await(Paid))
        const [early, late, failed] = yield* Effect.forEach(["early", "late", "failed"] as const, (id) =>
          Waiting.executionId({ id })
        )
        yield* withEngine(Layer.empty)(
          Effect.zipRight(
            pay(Waiting, early ?? "", Exit.succeed("first")),
            pay(Waiting, early ?? "", Exit.succeed("second"))
          )
        )
        yield* Effect.gen(function* () {
          expect(yield* Waiting.execute({ id: "early" })).toBe("first")
          expect(Option.getOrThrow(yield* runOf(Waiting, early ?? "")).attempt).toBe(1)
          const waiting = yield* Effect.fork(Waiting.execute({ id: "late" }))
          yield* reaches(Waiting, late ?? "", "parked")
          yield* pay(Waiting, late ?? "", Exit.succeed("first"))
          yield* pay(Waiting, late ?? "", Exit.succeed("second"))
          expect(yield* Fiber.join(waiting)).toBe("first")
          expect(Option.getOrThrow(yield* runOf(Waiting, late ?? "")).attempt).toBe(2)
          yield* pay(Waiting, failed ?? "", Exit.fail(new Refused({ why: "no money" })))
          expect(yield* Effect.flip(Waiting.execute({ id: "failed" }))).toEqual(new Refused({ why: "no money" }))
        }).pipe(withEngine(workflows))
      }).pipe(Effect.provide(store))
    )

    it.effect("run effects around a suspension as often as it is replayed, and no compensation", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        const workflows = Waiting.toLayer(() =>
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Effect.sync(() => void notes.push("finalizer")))
            yield* noting(notes, "reserve").pipe(
              Waiting.withCompensation(() => Effect.sync(() => void notes.push("release")))
            )
            return yield* DurableDeferred.await(Paid).pipe(
              Effect.catchAllCause(() => Effect.succeed("caught")),
              Effect.ensuring(Effect.sync(() => void notes.push("ensuring")))
            )
          })
        )
        yield* Effect.gen(function* () {
          const id = yield* Waiting.execute({ id: "a" }, { discard: true })
          yield* reaches(Waiting, id, "parked")
          expect(notes).toEqual(["reserve", "ensuring", "finalizer"])
          yield* pay(Waiting, id)
          expect(yield* Waiting.execute({ id: "a" })).toBe("cash")
          expect(notes).toEqual(["reserve", "ensuring", "finalizer", "ensuring", "finalizer"])
        }).pipe(withEngine(workflows))
      }).pipe(Effect.provide(store))
    )

    it.effect("compensate in reverse order when a workflow fails", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        const undoing = (name: string) =>
          noting(notes, name).pipe(
            Waiting.withCompensation((_, cause) =>
              noting(notes, `undo ${name}: ${Option.isSome(Cause.failureOption(cause))}`)
            )
          )
        const workflows = Waiting.toLayer(() =>
          undoing("reserve").pipe(Effect.zipRight(undoing("charge")), Effect.zipRight(new Refused({ why: "sold out" })))
        )
        yield* Effect.gen(function* () {
          expect(yield* Effect.flip(Waiting.execute({ id: "a" }))).toEqual(new Refused({ why: "sold out" }))
          expect(notes).toEqual(["reserve", "charge", "undo charge: true", "undo reserve: true"])
          const run = Option.getOrThrow(yield* runOf(Waiting, yield* Waiting.executionId({ id: "a" })))
          expect(run).toMatchObject({ status: "failed", error: { kind: "failure", error: { why: "sold out" } } })
        }).pipe(withEngine(workflows))
      }).pipe(Effect.provide(store))
    )

    const compensating = (notes: Array<string>, then: Effect.Effect<string, Refused, never> | undefined = undefined) =>
      Waiting.toLayer(() =>
        Effect.gen(function* () {
          yield* noting(notes, "reserve").pipe(Waiting.withCompensation(() => noting(notes, "release")))
          if (then !== undefined) {
            yield* Activity.make({ name: "slow", success: Schema.String, error: Refused, execute: then })
          }
          const paid = yield* DurableDeferred.await(Paid)
          yield* noting(notes, "ship")
          return paid
        })
      )

    it.effect("compensate once when an execution is interrupted while it is suspended, and are then cancelled", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        yield* Effect.gen(function* () {
          const id = yield* Waiting.execute({ id: "a" }, { discard: true })
          const waiting = yield* Effect.fork(Waiting.execute({ id: "a" }))
          yield* reaches(Waiting, id, "parked")
          yield* Waiting.interrupt(id)
          expect(Exit.isInterrupted(yield* Fiber.await(waiting))).toBe(true)
          const run = yield* reaches(Waiting, id, "cancelled")
          expect(yield* stepsOf(run.id)).toEqual(["activity/reserve/1", "activity/release/1", "exit!"])
          const polled = yield* Waiting.poll(id)
          expect(polled?._tag === "Complete" && Exit.isInterrupted(polled.exit)).toBe(true)
          yield* Waiting.interrupt(id)
          yield* pay(Waiting, id)
          yield* Waiting.resume(id)
          expect(notes).toEqual(["reserve", "release"])
        }).pipe(withEngine(compensating(notes)))
      }).pipe(Effect.provide(store))
    )

    it.effect(
      "compensate once when the job of an execution is stopped while an activity runs, which is not recorded",
      () =>
        Effect.gen(function* () {
          const notes: Array<string> = []
          const began = yield* Deferred.make<void>()
          const slow = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
          yield* Effect.gen(function* () {
            const id = yield* Waiting.execute({ id: "a" }, { discard: true })
            yield* Deferred.await(began)
            const run = Option.getOrThrow(yield* runOf(Waiting, id))
            expect(yield* Workflows.stop(run.id)).toMatchObject({ status: "cancelled", mode: "graceful" })
            expect(yield* stepsOf(run.id)).toEqual(["activity/reserve/1", "activity/release/1", "exit!"])
            expect(notes).toEqual(["reserve", "release"])
            expect(yield* Workflows.stop(run.id)).toMatchObject({ status: "cancelled", mode: "alreadyEnded" })
          }).pipe(withEngine(compensating(notes, slow)))
        }).pipe(Effect.provide(store))
    )

    it.effect("never compensate when the engine closes; the next one continues, and may then be stopped", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        const began = yield* Deferred.make<void>()
        const slow = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
        const start = Effect.forEach(["paid", "stopped"], (id) => Waiting.execute({ id }, { discard: true }))
        const ids = yield* Effect.zipLeft(start, Deferred.await(began)).pipe(withEngine(compensating(notes, slow)))
        const [paid = "", stopped = ""] = ids
        expect(new Set(notes)).toEqual(new Set(["reserve"]))
        notes.length = 0
        yield* Effect.gen(function* () {
          for (const id of ids) yield* reaches(Waiting, id, "parked")
          yield* pay(Waiting, paid)
          expect(yield* Waiting.execute({ id: "paid" })).toBe("cash")
          expect(notes.filter((note) => note !== "reserve")).toEqual(["ship"])
          yield* Waiting.interrupt(stopped)
          yield* reaches(Waiting, stopped, "cancelled")
          expect(notes.filter((note) => note !== "reserve")).toEqual(["ship", "release"])
        }).pipe(withEngine(compensating(notes, Effect.succeed("quick"))))
      }).pipe(Effect.provide(store))
    )

    it.effect("close during a race without deciding it", () =>
      Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        const racing = (effect: Effect.Effect<string>) =>
          Waiting.toLayer(() =>
            Activity.raceAll("race", [
              Activity.make({ name: "one", success: Schema.String, error: Schema.Never, execute: effect }),
              Activity.make({ name: "two", success: Schema.String, error: Schema.Never, execute: Effect.never })
            ])
          )
        const slow = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
        yield* Waiting.execute({ id: "a" }, { discard: true }).pipe(
          Effect.zipRight(Deferred.await(began)),
          withEngine(racing(slow))
        )
        expect(yield* withEngine(racing(Effect.succeed("one")))(Waiting.execute({ id: "a" }))).toBe("one")
      }).pipe(Effect.provide(store))
    )

    it.effect("race activities and clocks, and keep to the winner", () =>
      Effect.gen(function* () {
        const interrupted: Array<string> = []
        const racer = (name: string, millis: number) =>
          Activity.make({
            name,
            success: Schema.String,
            error: Schema.Never,
            execute: DurableClock.sleep({ name, duration: millis, inMemoryThreshold: Duration.zero }).pipe(
              Effect.as(name),
              Effect.onInterrupt(() => Effect.sync(() => void interrupted.push(name)))
            )
          })
        const workflows = Waiting.toLayer(() =>
          Effect.gen(function* () {
            const winner = yield* Activity.raceAll("clocks", [racer("slow", 5_000), racer("fast", 1_000)])
            return `${winner}, ${yield* DurableDeferred.await(Paid)}`
          })
        )
        yield* Effect.gen(function* () {
          const id = yield* Waiting.execute({ id: "a" }, { discard: true })
          yield* reaches(Waiting, id, "parked")
          yield* TestClock.adjust(1_000)
          yield* poll(runOf(Waiting, id), {
            until: Option.exists(({ parked }) => parked?.reason.includes("paid") === true),
            pause: 2,
            atMost: "1 minute"
          })
          yield* TestClock.adjust(10_000)
          yield* pay(Waiting, id)
          expect(yield* Waiting.execute({ id: "a" })).toBe("fast, cash")
        }).pipe(withEngine(workflows))
      }).pipe(Effect.provide(store))
    )

    it.effect("race a clock against a decision", () =>
      Effect.gen(function* () {
        const workflows = Waiting.toLayer(() =>
          DurableDeferred.raceAll({
            name: "paid or late",
            success: Schema.String,
            error: Refused,
            effects: [
              DurableDeferred.await(Paid),
              Effect.as(DurableClock.sleep({ name: "deadline", duration: "30 days" }), "too late")
            ]
          })
        )
        yield* Effect.gen(function* () {
          const [paid = "", late = ""] = yield* Effect.forEach(["paid", "late"], (id) =>
            Waiting.execute({ id }, { discard: true })
          )
          for (const id of [paid, late]) yield* reaches(Waiting, id, "parked")
          yield* pay(Waiting, paid)
          expect(yield* Waiting.execute({ id: "paid" })).toBe("cash")
          yield* TestClock.adjust("30 days")
          expect(yield* Waiting.execute({ id: "late" })).toBe("too late")
          for (const id of [paid, late]) expect(Option.getOrThrow(yield* runOf(Waiting, id)).attempt).toBe(2)
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

    const Parent = Workflow.make({ name: "Parent", payload, success: Schema.String, error: Refused, idempotencyKey })
    const parents = (notes: Array<string>, discard = false) =>
      Parent.toLayer(({ id }) =>
        Effect.gen(function* () {
          yield* noting(notes, "parent")
          if (discard) return yield* Waiting.execute({ id }, { discard: true })
          return `child: ${yield* Waiting.execute({ id })}`
        })
      )

    it.effect("park while a child runs, without a permit, and continue when it ends, whatever it came to", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        const children = Waiting.toLayer(() => DurableDeferred.await(Paid))
        yield* Effect.gen(function* () {
          const ids = yield* Effect.forEach(["a", "b"], (id) => Parent.execute({ id }, { discard: true }))
          const [a = "", b = ""] = yield* Effect.forEach(["a", "b"], (id) => Waiting.executionId({ id }))
          for (const id of ids) expect((yield* reaches(Parent, id, "parked")).parked?.reason).toContain("Waiting")
          for (const id of [a, b]) yield* reaches(Waiting, id, "parked")
          yield* pay(Waiting, a)
          yield* pay(Waiting, b, Exit.fail(new Refused({ why: "no money" })))
          expect(yield* Parent.execute({ id: "a" })).toBe("child: cash")
          expect(yield* Effect.flip(Parent.execute({ id: "b" }))).toEqual(new Refused({ why: "no money" }))
          for (const id of ids) expect(Option.getOrThrow(yield* runOf(Parent, id)).attempt).toBe(2)
          expect(notes).toEqual(["parent", "parent"])
          const parent = Option.getOrThrow(yield* runOf(Parent, ids[0] ?? ""))
          expect(Option.getOrThrow(yield* runOf(Waiting, a)).labels).toMatchObject({ parent: parent.id })
        }).pipe(withEngine(Layer.merge(parents(notes), children), { maxJobs: 1 }))
      }).pipe(Effect.provide(store))
    )

    it.effect("start a child and do not wait for it, if its result is discarded", () =>
      Effect.gen(function* () {
        const children = Waiting.toLayer(() => DurableDeferred.await(Paid))
        yield* Effect.gen(function* () {
          const child = yield* Waiting.executionId({ id: "a" })
          expect(yield* Parent.execute({ id: "a" })).toBe(child)
          yield* reaches(Waiting, child, "parked")
        }).pipe(withEngine(Layer.merge(parents([], true), children)))
      }).pipe(Effect.provide(store))
    )

    it.effect("interrupt their children when they are interrupted", () =>
      Effect.gen(function* () {
        const notes: Array<string> = []
        yield* Effect.gen(function* () {
          const id = yield* Parent.execute({ id: "a" }, { discard: true })
          const child = yield* Waiting.executionId({ id: "a" })
          yield* reaches(Parent, id, "parked")
          yield* reaches(Waiting, child, "parked")
          yield* Parent.interrupt(id)
          yield* reaches(Parent, id, "cancelled")
          yield* reaches(Waiting, child, "cancelled")
          expect(notes).toEqual(["reserve", "release"])
        }).pipe(withEngine(Layer.merge(parents([]), compensating(notes))))
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
  })
}
