import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, TestContext } from "effect"
import { isLong } from "../support/long.js"
import { commands } from "./Commands.js"
import { kinds, limits } from "./Kind.js"
import { Model } from "./Model.js"
import * as World from "./World.js"

const numRuns = isLong ? 2_000 : 30

/** Within which a run that fails is reported with its seed, however far it has shrunk by then. */
const timeLimit = isLong ? 1_100_000 : 100_000

const all = ["cancelled", "completed", "failed", "interrupted", "parked", "pending", "running"]

describe("JobManager", () => {
  it(
    "behaves like the model of its state machine under random commands and restarts",
    async () => {
      let statuses = new Set<string>()
      const agrees = FastCheck.asyncProperty(kinds, limits, commands, (kind, limits, commands) =>
        World.make(kind, limits).pipe(
          Effect.flatMap((real) =>
            Effect.promise(async () => {
              const model = new Model(kind, limits)
              await FastCheck.asyncModelRun(() => ({ model, real }), commands)
              statuses = new Set([...statuses, ...model.jobs.map(({ status }) => status)])
            })
          ),
          Effect.scoped,
          // Each run begins at time 0, so that it does the same again for the same seed.
          Effect.provide(TestContext.TestContext),
          Effect.runPromise
        )
      )
      // A series may miss a status by chance. Five in turn miss it only if no commands lead to it.
      for (let series = 0; series < 5 && statuses.size < all.length; series++)
        await FastCheck.assert(agrees, {
          numRuns,
          // Biased values are small, and so are biased sequences: too short to have groups, keys and permits that are taken.
          unbiased: true,
          interruptAfterTimeLimit: timeLimit,
          markInterruptAsFailure: true
        })
      expect([...statuses].sort()).toEqual(all)
    },
    5 * timeLimit
  )
})
