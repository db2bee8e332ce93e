import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { DateTime, Deferred, Duration, Effect, Either, Fiber, Option, TestClock } from "effect"
import type { TurnEnd } from "../../../src/tasks/agents/TurnEnd.js"
import * as AgentGate from "../../../src/tasks/run/AgentGate.js"
import { created, id } from "../../store/runs.js"

const job = { id: id(1), attempt: 1 }
const first = { unit: "a", task: 1 }

const gate = Effect.gen(function* () {
  yield* created(1)
  const store = yield* RunStore.RunStore
  const { check, expire, turn: run } = yield* AgentGate.make(store)
  const turn = (end: TurnEnd, agent = "claude") =>
    run(
      job,
      agent,
      first
    )(Effect.succeed({ value: undefined, end })).pipe(
      Effect.map(({ limit }) =>
        Option.match(limit, {
          onNone: () => end.class,
          onSome: ({ until }) => DateTime.toEpochMillis(until) / 60_000
        })
      ),
      Effect.catchTags({
        AgentLimited: () => Effect.succeed("limited"),
        AgentProbed: () => Effect.succeed("probed"),
        TaskUnanswered: () => Effect.succeed("unanswered")
      })
    )
  return { check, expire: expire(job, "claude"), limit: store.agentLimits.get("claude"), run, turn }
})

const refused = (minutes?: number): TurnEnd => ({
  class: "usageLimit",
  message: "no",
  ...(minutes !== undefined && { resetsAt: DateTime.unsafeMake(minutes * 60_000) })
})
const done: TurnEnd = { class: "done" }

const test = <A, E>(body: Effect.Effect<A, E, RunStore.RunStore>) =>
  Effect.provide(Effect.scoped(body), RunStore.layerMemory)

describe("AgentGate", () => {
  it.effect("admits no turn of an agent before its limit resets, and then each again once one was not refused", () =>
    test(
      Effect.gen(function* () {
        const { limit, turn } = yield* gate
        expect(yield* turn(refused(60))).toBe(60)
        yield* TestClock.adjust("59 minutes")
        expect([yield* turn(done), yield* turn(done, "codex")]).toEqual(["limited", "done"])
        yield* TestClock.adjust("1 minutes")
        expect(yield* turn(done)).toBe("done")
        expect(yield* limit).toEqual(Option.none())
      })
    )
  )

  it.effect(
    "tries an agent that does not say when after 5 minutes, doubling up to an hour, and starts over later",
    () =>
      test(
        Effect.gen(function* () {
          const { turn } = yield* gate
          const pauses: Array<unknown> = []
          for (let at = 0; pauses.length < 7;) {
            const until = yield* turn(refused())
            if (typeof until !== "number") return expect.fail(until)
            pauses.push(until - at)
            yield* TestClock.adjust(Duration.minutes(until - at))
            at = until
          }
          expect(pauses).toEqual([5, 10, 20, 40, 60, 60, 60])
          expect(yield* turn(done)).toBe("done")
          const at = yield* Effect.map(DateTime.now, (now) => DateTime.toEpochMillis(now) / 60_000)
          expect(yield* turn(refused())).toBe(at + 5)
        })
      )
  )

  it.effect("tries an agent with nothing left to spend every hour where it does not say when", () =>
    test(
      Effect.gen(function* () {
        const { limit, turn } = yield* gate
        const spent: TurnEnd = { ...refused(), class: "funds" }
        expect(yield* turn(spent)).toBe(60)
        expect(Option.getOrUndefined(yield* limit)).toMatchObject({ kind: "funds", reason: "no" })
        expect(yield* turn(done)).toBe("limited")
        yield* TestClock.adjust("60 minutes")
        expect(yield* turn({ class: "account" })).toBe("account")
        expect(yield* turn(spent)).toBe(120)
        yield* TestClock.adjust("60 minutes")
        expect(yield* turn(done)).toBe("done")
        expect(yield* limit).toEqual(Option.none())
      })
    )
  )

  it.effect("counts turns that were refused side by side as one, with the latest reset", () =>
    test(
      Effect.gen(function* () {
        const { limit, run, turn } = yield* gate
        const release = yield* Deferred.make<void>()
        const beside = yield* Effect.forEach([refused(), refused(), refused(90), refused(30)], (end) =>
          Effect.fork(run(job, "claude", first)(Effect.as(Deferred.await(release), { value: undefined, end })))
        )
        yield* TestClock.adjust(0)
        yield* Deferred.succeed(release, undefined)
        yield* Effect.forEach(beside, Fiber.join)
        expect(Option.getOrUndefined(yield* limit)).toMatchObject({ refusals: 0 })
        yield* TestClock.adjust("89 minutes")
        expect(yield* turn(done)).toBe("limited")
        yield* TestClock.adjust("1 minutes")
        expect(yield* turn(done)).toBe("done")
      })
    )
  )

  it.effect("lets one turn go first at the reset, and the others once it has run for two minutes", () =>
    test(
      Effect.gen(function* () {
        const { check: checkGate, run, turn } = yield* gate
        yield* turn(refused(60))
        yield* TestClock.adjust("60 minutes")
        const probe = yield* Effect.fork(run(job, "claude", first)(Effect.never))
        yield* TestClock.adjust("119 seconds")
        const check = yield* Effect.either(checkGate(job, "claude", first))
        const error = Either.isLeft(check) ? check.left : expect.fail("it was admitted")
        if (error._tag !== "AgentProbed") return expect.fail(error._tag)
        const waiting = yield* Effect.fork(error.ended)
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(waiting)
        expect(yield* turn(done)).toBe("done")
        yield* Fiber.interrupt(probe)
      })
    )
  )

  it.effect("lets one turn go first before the reset where the limit was made to expire", () =>
    test(
      Effect.gen(function* () {
        const { expire, limit, run, turn } = yield* gate
        yield* expire
        expect(yield* limit).toEqual(Option.none())
        yield* turn(refused(60))
        yield* TestClock.adjust("10 minutes")
        yield* expire
        const probe = yield* Effect.fork(run(job, "claude", first)(Effect.never))
        yield* TestClock.adjust(0)
        expect(yield* turn(done)).toBe("probed")
        yield* Fiber.interrupt(probe)
        expect(yield* turn(refused(90))).toBe(90)
        expect(yield* turn(done)).toBe("limited")
      })
    )
  )

  it.effect("lets another turn go first where the first was interrupted, or has not reached the agent", () =>
    test(
      Effect.gen(function* () {
        const { limit, run, turn } = yield* gate
        yield* turn(refused(60))
        yield* TestClock.adjust("60 minutes")
        const probe = yield* Effect.fork(run(job, "claude", first)(Effect.never))
        yield* TestClock.adjust(0)
        expect(yield* turn(done)).toBe("probed")
        yield* Fiber.interrupt(probe)
        for (const name of ["network", "auth", "gone"] as const) expect(yield* turn({ class: name })).toBe(name)
        expect(Option.isSome(yield* limit)).toBe(true)
        expect(yield* turn({ class: "failed" })).toBe("failed")
        expect(Option.isSome(yield* limit)).toBe(false)
      })
    )
  )
})
