import { describe, expect, it } from "@effect/vitest"
import { errors, RunStore } from "charlotte"
import { Effect, type Layer, Option } from "effect"
import { AgentLimit } from "../../../src/domain/AgentLimit.js"
import { at, created, id } from "../runs.js"

const limit = (agent: string, until: number, refusals = 0) =>
  new AgentLimit({
    agent,
    class: refusals === 2 ? "funds" : "usageLimit",
    reason: 'in "its" words\n',
    until: at(until),
    refusals
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
  })
}
