import { describe, expect, it } from "@effect/vitest"
import { JobEvent, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, Layer, Schema } from "effect"
import { typesOf } from "../manager/lives.js"
import { config } from "../support/jobs.js"

const layer = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
)

const isEmittable = Schema.is(JobEvent.EmittedEvent)
const names = ["x\0y", "\ud800", "x\udfffy", "\udc00\ud800"]

describe("EmittedEvent", () => {
  it("rejects NUL and lone surrogates in names, but not in payloads", () => {
    for (const name of names) {
      expect(isEmittable({ type: name })).toBe(false)
      expect(isEmittable({ type: "x", unit: name })).toBe(false)
      expect(isEmittable({ type: "x", payload: name })).toBe(true)
    }
    expect(isEmittable({ type: "größe.😀", unit: "ünit 😀" })).toBe(true)
  })

  it("names the invalid fields", () => {
    const problem = JobEvent.emitProblem({ type: "job.x", unit: "a\0", task: 1.5 })
    expect(problem).toMatch(/^an orchestrator cannot emit {"type":"job.x".*; type: event types that begin with job\./)
    expect(problem).toContain("; unit: must not contain NUL or a lone surrogate")
    expect(problem).toContain("; task: ")
    expect(JobEvent.emitProblem({ type: "x".repeat(1_000_000) + "\0" }).length).toBeLessThan(500)
    expect(JobEvent.emitProblem(undefined)).toContain("an orchestrator cannot emit null")
  })
})

describe("emit", () => {
  it.scopedLive("dies on a name with a lone surrogate or NUL, names the field and records nothing", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      for (const name of names) {
        for (const [field, event] of [
          ["type", { type: name }],
          ["unit", { type: "x", unit: name }]
        ] as const) {
          const id = yield* manager.start(config)
          yield* send(id, Step.emit({ type: "before" }), Step.emit(event), Step.succeed(1))
          const { error, status } = yield* manager.await(id)
          expect({ status, kind: error?.kind }).toEqual({ status: "failed", kind: "defect" })
          expect(error?.cause).toContain(`${field}: must not contain NUL or a lone surrogate`)
          expect(yield* typesOf(id)).toEqual(["job.started", "before", "job.failed"])
        }
      }
    }).pipe(Effect.provide(layer))
  )
})
