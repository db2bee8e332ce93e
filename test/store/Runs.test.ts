import { describe, expect, it } from "@effect/vitest"
import { errors, JobManager, Runs, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Array, Chunk, Effect, Layer, Stream } from "effect"
import { config, unknownId } from "../support/jobs.js"

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
)

describe("Runs", () => {
  it.live("reads a run, lists it, and replays all of its events", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const runs = yield* Runs.Runs
      const id = yield* manager.start(config)
      yield* send(id, ...Array.makeBy(600, () => Step.emit({ type: "counted" })), Step.succeed("done"))
      yield* manager.await(id)
      expect(yield* runs.get(id)).toMatchObject({ value: { id, status: "completed", result: "done" } })
      expect((yield* runs.list()).map((run) => run.id)).toEqual([id])
      const seqs = (after?: number) =>
        Effect.map(Stream.runCollect(runs.events(id, after === undefined ? {} : { after })), (events) =>
          Chunk.toReadonlyArray(Chunk.map(events, ({ seq }) => seq))
        )
      expect(yield* seqs()).toEqual(Array.range(1, 602))
      expect(yield* seqs(600)).toEqual([601, 602])
      const missing = yield* Effect.flip(Stream.runDrain(runs.events(unknownId)))
      expect(missing).toBeInstanceOf(errors.JobNotFound)
    }).pipe(Effect.provide(layer))
  )
})
