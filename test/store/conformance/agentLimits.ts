import { describe, expect, it } from "@effect/vitest"
import { errors, RunStore } from "charlotte"
import { Effect, type Layer, Option, TestClock } from "effect"
import { AgentLimit } from "../../../src/domain/AgentLimit.js"
import { TurnStreak } from "../../../src/domain/TurnStreak.js"
import { at, created, id, kind } from "../runs.js"

const limit = (agent: string, until: number, refusals = 0) =>
  new AgentLimit({
    agent,
    kind: refusals === 2 ? "funds" : "usage",
    reason: 'in "its" words\n',
    since: at(until - 1),
    until: at(until),
    refusals
  })

const streak = (n: number, with_: Partial<TurnStreak> = {}) =>
  new TurnStreak({
    jobId: id(n),
    agent: "claude",
    unit: "a",
    task: 1,
    kind: "unanswered",
    turns: 3,
    wording: "a digest",
    reason: 'in "its" words',
    at: at(n),
    answeredSince: false,
    ...with_
  })

const by = (n: number, attempt = 1) => ({ jobId: id(n), attempt })

export const agentLimits = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("agent limits", () => {
    it.effect("are none, and then the latest that was recorded of each agent, by whatever job", () =>
      Effect.gen(function* () {
        const { agentLimits } = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        expect(yield* agentLimits.get("claude")).toEqual(Option.none())
        yield* agentLimits.record({ ...by(1), limit: limit("claude", 100) })
        yield* agentLimits.record({ ...by(1), limit: limit("codex", 200, 1) })
        yield* agentLimits.record({ ...by(2), limit: limit("claude", 300, 2) })
        const kept = yield* agentLimits.get("claude")
        expect(kept).toEqual(Option.some(limit("claude", 300, 2)))
        expect(Option.getOrUndefined(kept)).toBeInstanceOf(AgentLimit)
        expect(yield* agentLimits.get("codex")).toEqual(Option.some(limit("codex", 200, 1)))
      }).pipe(Effect.provide(layer))
    )

    it.effect("outlive the job, and are cleared for one agent only", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        yield* store.agentLimits.record({ ...by(1), limit: limit("claude", 100) })
        yield* store.agentLimits.record({ ...by(1), limit: limit("codex", 100) })
        yield* store.record({ type: "job.completed", ...by(1), at: at(5), result: null })
        expect(yield* store.agentLimits.get("claude")).toEqual(Option.some(limit("claude", 100)))
        yield* store.agentLimits.clear({ ...by(2), agent: "claude" })
        yield* store.agentLimits.clear({ ...by(2), agent: "claude" })
        expect(yield* store.agentLimits.get("claude")).toEqual(Option.none())
        expect(yield* store.agentLimits.get("codex")).toEqual(Option.some(limit("codex", 100)))
      }).pipe(Effect.provide(layer))
    )

    it.effect("are changed by the current attempt of a running job only", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* store.agentLimits.record({ ...by(1), limit: limit("claude", 100) })
        const refused = (writer: { readonly jobId: ReturnType<typeof id>; readonly attempt: number }) =>
          Effect.gen(function* () {
            const superseded = new errors.Superseded(writer)
            const recorded = store.agentLimits.record({ ...writer, limit: limit("claude", 200) })
            expect(yield* Effect.flip(recorded)).toEqual(superseded)
            expect(yield* Effect.flip(store.agentLimits.clear({ ...writer, agent: "claude" }))).toEqual(superseded)
          })
        yield* refused(by(1, 2))
        yield* refused(by(7))
        yield* store.record({ type: "job.parked", ...by(1), at: at(5), parked: { reason: "waits", until: at(100) } })
        yield* refused(by(1))
        yield* store.wake(id(1))
        yield* store.begin({ ...by(1, 2), key: undefined, at: at(6) })
        yield* refused(by(1))
        expect(yield* store.agentLimits.get("claude")).toEqual(Option.some(limit("claude", 100)))
        yield* store.agentLimits.clear({ ...by(1, 2), agent: "claude" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep their kind", () =>
      Effect.gen(function* () {
        const { agentLimits } = yield* RunStore.RunStore
        yield* created(1)
        for (const kind of ["outage", "unanswered", "usage"] as const) {
          const limit = new AgentLimit({
            agent: "claude",
            kind,
            reason: "no",
            since: at(9),
            until: at(100),
            refusals: 1
          })
          yield* agentLimits.record({ ...by(1), limit })
          expect(yield* agentLimits.get("claude")).toEqual(Option.some(limit))
        }
      }).pipe(Effect.provide(layer))
    )
  })

  describe("turns in a row without a verdict", () => {
    it.effect("are kept for each agent and task, in the order of their time", () =>
      Effect.gen(function* () {
        const { agentLimits } = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        expect(yield* agentLimits.streaks("claude")).toEqual([])
        const all = [
          streak(1, { at: at(9) }),
          streak(2),
          streak(1, { unit: "b", kind: "brokenOff", turns: 0, at: at(7), answeredSince: true }),
          streak(1, { agent: "codex", kind: "unreachable" })
        ]
        for (const each of all) yield* agentLimits.recordStreak({ attempt: 1, streak: each })
        yield* agentLimits.recordStreak({ attempt: 1, streak: streak(2, { turns: 4, wording: "other", at: at(8) }) })
        const kept = yield* agentLimits.streaks("claude")
        expect(kept).toEqual([all[2], streak(2, { turns: 4, wording: "other", at: at(8) }), all[0]])
        expect(kept[0]).toBeInstanceOf(TurnStreak)
        expect(yield* agentLimits.streaks("codex")).toEqual([all[3]])
      }).pipe(Effect.provide(layer))
    )

    it.effect("end once a turn at the task is answered, and tell all of the agent that one was", () =>
      Effect.gen(function* () {
        const { agentLimits } = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        const all = [
          streak(1),
          streak(1, { task: 2 }),
          streak(2),
          streak(2, { unit: "b", kind: "unreachable" }),
          streak(2, { agent: "codex", kind: "unreachable" })
        ]
        for (const each of all) yield* agentLimits.recordStreak({ attempt: 1, streak: each })
        yield* agentLimits.answered({ ...by(1), agent: "claude", unit: "a", task: 1 })
        expect(yield* agentLimits.streaks("claude")).toEqual([
          streak(1, { task: 2, answeredSince: true }),
          streak(2, { answeredSince: true })
        ])
        expect(yield* agentLimits.streaks("codex")).toEqual([all[4]])
      }).pipe(Effect.provide(layer))
    )

    it.effect("are changed by the current attempt of a running job only", () =>
      Effect.gen(function* () {
        const { agentLimits } = yield* RunStore.RunStore
        yield* created(1)
        yield* agentLimits.recordStreak({ attempt: 1, streak: streak(1) })
        const superseded = new errors.Superseded({ jobId: id(1), attempt: 2 })
        const turn = { jobId: id(1), attempt: 2, agent: "claude", unit: "a", task: 1 }
        expect(yield* Effect.flip(agentLimits.recordStreak({ attempt: 2, streak: streak(1) }))).toEqual(superseded)
        expect(yield* Effect.flip(agentLimits.answered(turn))).toEqual(superseded)
        expect(yield* agentLimits.streaks("claude")).toEqual([streak(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("are removed with their job", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        yield* store.agentLimits.recordStreak({ attempt: 1, streak: streak(1) })
        yield* store.agentLimits.recordStreak({ attempt: 1, streak: streak(2) })
        yield* store.record({ type: "job.completed", ...by(1), at: at(5), result: null })
        yield* store.retain({ kind, retention: { completed: "1 minute" }, forget: () => Effect.void })
        yield* TestClock.setTime(120_000)
        expect(yield* store.prune({})).toMatchObject([{ jobs: [id(1)] }])
        expect(yield* store.agentLimits.streaks("claude")).toEqual([streak(2)])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  })
}
