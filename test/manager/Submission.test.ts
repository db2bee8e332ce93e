/** What was found out when a job was submitted: fixed from then on, whatever is found out later. */
import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { Effect, Exit, Layer, Option } from "effect"
import * as FailingSql from "../support/FailingSql.js"
import { interruptedAfter } from "../support/interruption.js"
import { config } from "../support/jobs.js"
import { crash, databaseFile, life, startJob } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const began = (id: JobId.JobId, attempt: number) => Effect.flatMap(Script, (script) => script.began(id, attempt))

const submissionOf = (id: JobId.JobId) => Effect.flatMap(RunStore.RunStore, ({ submission }) => submission(id))

/** An orchestrator that finds out something else each time, and says what it was given. */
const makeFinder = () => {
  const checked: Array<unknown> = []
  const ran: Array<readonly [attempt: number, submission: unknown]> = []
  const options: ScriptedOrchestrator.Options = {
    check: (_, submission) =>
      Effect.sync(() => {
        checked.push(submission)
        return { submission: { found: checked.length, at: new Date(0) } }
      }),
    script: ({ attempt, submission }) => {
      ran.push([attempt, submission])
      return []
    }
  }
  return { checked, ran, options }
}

const first = { found: 1, at: "1970-01-01T00:00:00.000Z" }

describe("submission data", () => {
  it.scopedLive("is passed to check and run in every attempt after a clean shutdown, also on resume", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const { checked, options, ran } = makeFinder()
      const id = yield* Effect.tap(startJob, (id) => began(id, 1)).pipe(life(file, options))
      yield* began(id, 2).pipe(life(file, options))
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(Manager, ({ resume }) => resume(id))
        yield* began(id, 3)
        expect(yield* submissionOf(id)).toEqual(Option.some(first))
      }).pipe(life(file, { ...options, recovery: "manual" }))
      expect(checked).toEqual([undefined, first, first])
      expect(ran).toEqual([1, 2, 3].map((attempt) => [attempt, first]))
    })
  )

  it.scopedLive("is passed to check and run after a crash", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const { checked, options, ran } = makeFinder()
      const id = yield* Effect.tap(startJob, (id) => began(id, 1)).pipe(crash(file, options))
      yield* Effect.gen(function* () {
        const { send } = yield* Script
        yield* began(id, 2)
        yield* send(id, Step.succeed("done"))
        const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id))
        expect(run).toMatchObject({ status: "completed", attempt: 2 })
        expect(yield* submissionOf(id)).toEqual(Option.some(first))
      }).pipe(life(file, options))
      expect(checked).toEqual([undefined, first])
      expect(ran).toEqual([
        [1, first],
        [2, first]
      ])
    })
  )

  it.scopedLive("may be the reason why check refuses to resume a run", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const check: ScriptedOrchestrator.Options["check"] = (_, submission) =>
        submission === undefined
          ? Effect.succeed({ submission: "the commit" })
          : new errors.InvalidJobConfig({ issues: [{ path: ["targetBranch"], message: `has lost ${submission}` }] })
      const id = yield* startJob.pipe(life(file, { check }))
      const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id)).pipe(life(file, { check }))
      expect(run).toMatchObject({ status: "failed", error: { kind: "recovery" } })
      expect(run.error?.error).toContain("has lost the commit")
    })
  )

  const values: ReadonlyArray<readonly [what: string, found: unknown, kept: unknown]> = [
    ["nothing", undefined, undefined],
    ["null", null, null],
    ["false", false, false],
    ["what JSON can say", { list: [1, "ü\u0000", { deep: null }] }, { list: [1, "ü\u0000", { deep: null }] }],
    ["what is undefined inside", { a: undefined, b: [undefined] }, { b: [null] }],
    ["numbers that JSON does not know", [1n, NaN, Infinity], ["1", "NaN", "Infinity"]],
    ["a map and a set", new Map([["a", new Set([1])]]), [["a", [1]]]],
    ["an error", new TypeError("boom"), { name: "TypeError", message: "boom" }],
    ["a function", Math.max, "function max() { [native code] }"]
  ]
  for (const [what, found, kept] of values) {
    it.scopedLive(`of ${what} is the same in the first attempt as in the record`, () =>
      Effect.gen(function* () {
        const manager = yield* Manager
        const { send } = yield* Script
        const id = yield* manager.start(config)
        const given: Array<unknown> = []
        yield* send(id, (job) => Effect.sync(() => void given.push(job.submission)), Step.succeed(1))
        yield* manager.await(id)
        expect(given).toEqual([kept])
        expect(yield* submissionOf(id)).toEqual(kept === undefined ? Option.none() : Option.some(kept))
      }).pipe(
        Effect.provide(
          JobManager.layer().pipe(
            Layer.provideMerge(
              Layer.merge(
                RunStore.layerMemory,
                ScriptedOrchestrator.layer({ check: () => Effect.succeed({ submission: found }) })
              )
            )
          )
        )
      )
    )
  }

  it.effect("does not change with what check answered, nor with what an attempt does to it", () => {
    const found = { tasks: ["one"] }
    return Effect.gen(function* () {
      const manager = yield* Manager
      const { send } = yield* Script
      const id = yield* manager.start(config)
      found.tasks.push("two")
      const given: Array<unknown> = []
      const spoil: Step.Step = ({ submission }) =>
        Effect.sync(() => {
          given.push(JSON.stringify(submission))
          if (typeof submission === "object" && submission !== null) Object.assign(submission, { tasks: [] })
        })
      yield* send(id, spoil, Step.succeed(1))
      yield* manager.await(id)
      expect(given).toEqual(['{"tasks":["one"]}'])
      expect(yield* submissionOf(id)).toEqual(Option.some({ tasks: ["one"] }))
    }).pipe(Effect.provide(TestManager.layer({ check: () => Effect.succeed({ submission: found }) })))
  })
})

describe("interrupted start", () => {
  const Jobs = JobManager.layer({ maxJobs: 1 }).pipe(
    Layer.provideMerge(
      Layer.merge(RunStore.layer, ScriptedOrchestrator.layer({ check: () => Effect.succeed({ submission: "found" }) }))
    ),
    Layer.provideMerge(FailingSql.layer({ filename: ":memory:" }))
  )

  /** How many runs there are; each has its submission. */
  const runs = Effect.gen(function* () {
    const all = yield* Effect.flatMap(RunStore.RunStore, ({ list }) => list({ limit: 1_000 }))
    for (const { id } of all) expect(yield* submissionOf(id)).toEqual(Option.some("found"))
    return all.length
  })

  it.live("by its caller after k steps leaves a run with its submission, or neither", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const outcomes = new Set<string>()
      for (let k = 0; k <= 200; k += 2) {
        const before = yield* runs
        const exit = yield* interruptedAfter(manager.start(config), k)
        outcomes.add(`${exit._tag}, ${(yield* runs) - before} more`)
        if (Exit.isSuccess(exit)) expect(yield* manager.list).toEqual([exit.value])
        yield* manager.stopAll
      }
      expect([...outcomes]).toContain("Failure, 0 more")
      expect([...outcomes]).toContain("Success, 1 more")
    }).pipe(Effect.provide(Jobs))
  )

  it.live("by its database at any statement leaves a run with its submission, or neither", () =>
    Effect.gen(function* () {
      const manager = yield* Manager
      const { clear, failures, set } = yield* FailingSql.FailingSql
      const outcomes = new Set<string>()
      for (let k = 1, failed = true; failed; k++) {
        const before = yield* runs
        yield* set({ from: k, to: k + 20 })
        const started = yield* Effect.either(manager.start(config))
        failed = (yield* failures) > 0
        yield* clear
        const more = (yield* runs) - before
        expect(more).toBe(started._tag === "Right" ? 1 : 0)
        outcomes.add(started._tag)
        yield* manager.stopAll
      }
      expect(outcomes).toEqual(new Set(["Left", "Right"]))
    }).pipe(Effect.provide(Jobs))
  )
})
