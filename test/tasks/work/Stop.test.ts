import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Prune } from "charlotte/tasks"
import { Duration, Effect, Fiber, Option } from "effect"
import { phases } from "./Phases.js"
import * as Witness from "./Witness.js"

const grace = Duration.seconds(2)

describe("a job of tasks that is stopped in each of its phases", () => {
  it.scopedLive(
    "ends within its grace and a second, with nothing left behind, and with all of its work in the target or none",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const { config, top, untouched } = yield* Witness.job(world)
        const { told } = yield* Witness.undisturbed()
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          for (const { at, isShielded = false, name, times } of phases) {
            yield* Witness.holdAt(world, at, times)
            const id = yield* manager.start(config)
            yield* Witness.reached(world, at)
            const stopping = yield* Effect.fork(manager.stop(id, { grace }))
            const phase = Effect.map(manager.get(id), Option.getOrUndefined)
            yield* Effect.repeat(phase, { until: (job) => job?.phase !== "running" })
            if (isShielded) yield* Witness.release(world)
            const { elapsed, mode, status } = yield* Fiber.join(stopping)
            expect({ name, mode, status }).toEqual({ name, mode: "graceful", status: "cancelled" })
            expect(Duration.toMillis(elapsed)).toBeLessThan(Duration.toMillis(grace) + 1000)
            yield* Witness.release(world)
            yield* Witness.isQuiet(world, top, id)
            expect(yield* Witness.told(world, top, "mine..main")).toEqual(name === "landing" ? told : [])
            yield* untouched
          }
          expect(yield* Prune.prune({ discard: true })).toMatchObject([{ problems: [], kept: [] }])
          expect(yield* world.git(top, "for-each-ref", "refs/heads/charlotte")).toBe("")
        }).pipe(Effect.provide(Witness.manager(world)))
      }),
    120_000
  )
})
