/**
 * Event pages of the store, as seen by subscribers of a manager.
 */
import { describe, expect, it } from "@effect/vitest"
import { errors, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Array, Effect, Layer, Stream } from "effect"
import { config } from "../support/jobs.js"

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
)

const count = 60
const payload = "x".repeat(1_000_000)

describe("event subscribers", () => {
  it.scopedLive(`receive ${count} events of 1 MB, each once and in order`, () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* send(id, ...Array.makeBy(count, () => Step.emit({ type: "large", payload })), Step.succeed(1))
      yield* manager.await(id)
      const expected = [...Array.range(1, count + 2)]
      const seqs = yield* Stream.runFold(manager.events(id), Array.empty<number>(), (seen, { seq }) => [...seen, seq])
      expect(seqs).toEqual(expected)
      const cursors = yield* manager.allEvents().pipe(
        Stream.take(count + 2),
        Stream.runFold(Array.empty<number>(), (seen, { cursor }) => [...seen, cursor])
      )
      expect(cursors).toEqual(expected)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("fail with a typed error on an invalid cursor", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      for (const after of [-1, 1.5, NaN]) {
        for (const events of [manager.events(id, { after }), manager.allEvents({ after })]) {
          const error = yield* Effect.flip(Stream.runDrain(events))
          expect(error).toBeInstanceOf(errors.StoreError)
          expect(error.message).toContain(`after must be a whole number, 0 or more, not ${after}`)
        }
      }
    }).pipe(Effect.provide(layer))
  )
})
