/** Runs that wait, and are woken by their stop. */
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect, type Layer } from "effect"
import { Parked } from "../../../src/domain/Run.js"
import { at, created, id, kind, log, record, unfinished } from "../runs.js"

const { RunStore: Store } = RunStore

const parked = new Parked({ reason: "waits", signal: "go" })

export const stopping = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("a stop that wakes a run", () => {
    it.effect("begins an attempt that is being stopped, and continues after an interruption that says so", () =>
      Effect.gen(function* () {
        const store = yield* Store
        const jobId = yield* created(1)
        const begin = (attempt: number) => store.begin({ jobId, attempt, key: undefined, at: at(attempt) })
        const interrupted = { type: "job.interrupted", jobId } as const
        yield* store.record({ type: "job.parked", jobId, attempt: 1, at: at(1), parked })
        yield* store.wake(jobId, "stop", { by: "ada", via: "page" })
        yield* store.wake(jobId, "resume", { by: "bob" })
        expect(yield* store.due({ kind, statuses: ["parked"], limit: 9 })).toMatchObject([{ run: { id: jobId } }])
        expect(yield* begin(2)).toBe("stopping")
        expect(yield* unfinished(jobId)).toMatchObject({ stopping: true, run: { attempt: 2 } })
        const { events } = yield* Effect.flatten(store.events({ kind, jobId, after: 2, limit: 9 }))
        expect(events.map(({ payload, type }) => [type, payload])).toEqual([
          ["job.resumed", { attempt: 2, by: "stop", sender: "ada", via: "page" }],
          ["job.stopping", { by: "ada", via: "page" }]
        ])
        yield* store.record({ ...interrupted, attempt: 2, at: at(3), crashed: true, continuesStop: true })
        expect(yield* record(jobId)).toMatchObject({ status: "interrupted", waitsFor: "permit" })
        expect(yield* begin(3)).toBe("stopping")
        expect(yield* store.record({ ...interrupted, attempt: 3, at: at(4) })).toBe("job.cancelled")
        expect((yield* log(jobId)).slice(4)).toEqual([
          ...["5 job.interrupted", "6 job.resumed", "7 job.stopping", "8 job.cancelled"]
        ])
      }).pipe(Effect.provide(layer))
    )

    it.effect("wakes an interrupted run, too, and refuses any other", () =>
      Effect.gen(function* () {
        const store = yield* Store
        const jobId = yield* created(1)
        const refused = Effect.map(Effect.flip(store.wake(jobId, "stop")), ({ _tag }) => _tag)
        expect(yield* refused).toBe("Superseded")
        yield* store.record({ type: "job.interrupted", jobId, attempt: 1, at: at(1), continuesStop: true })
        expect(yield* store.begin({ jobId, attempt: 2, key: undefined, at: at(2) })).toBe("running")
        yield* store.record({ type: "job.interrupted", jobId, attempt: 2, at: at(3) })
        yield* store.wake(jobId, "stop")
        expect(yield* store.begin({ jobId, attempt: 3, key: undefined, at: at(4) })).toBe("stopping")
        yield* store.record({ type: "job.cancelled", jobId, attempt: 3, at: at(5) })
        expect(yield* refused).toBe("Superseded")
        yield* created(2, { isQueued: true })
        expect(yield* Effect.flip(store.wake(id(2), "stop"))).toMatchObject({ _tag: "Superseded" })
      }).pipe(Effect.provide(layer))
    )
  })
}
