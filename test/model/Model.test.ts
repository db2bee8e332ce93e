import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Runtime, Scope } from "effect"
import { isLong } from "../support/long.js"
import { commands } from "./Commands.js"
import { Model } from "./Model.js"
import * as World from "./World.js"

const numRuns = isLong ? 2_000 : 30

describe.each(Object.entries(World.stores))("JobManager on a store %s", (_, store) => {
  it.effect(
    "behaves like the model of its state machine under random commands and restarts",
    () =>
      Effect.gen(function* () {
        const runPromise = Runtime.runPromise(yield* Effect.runtime())
        let statuses = new Set<string>()
        const agrees = FastCheck.asyncProperty(commands, async (commands) => {
          const scope = await runPromise(Scope.make())
          try {
            const model = new Model()
            const real = await runPromise(Scope.extend(World.make(store), scope))
            await FastCheck.asyncModelRun(() => ({ model, real }), commands)
            statuses = new Set([...statuses, ...model.jobs.map(({ status }) => status)])
          } finally {
            await runPromise(Scope.close(scope, Exit.void))
          }
        })
        yield* Effect.promise(() => FastCheck.assert(agrees, { numRuns }))
        // All statuses were reached.
        expect([...statuses].sort()).toEqual([
          "cancelled",
          "completed",
          "failed",
          "interrupted",
          "parked",
          "pending",
          "running"
        ])
      }),
    isLong ? 1_200_000 : 120_000
  )
})
