import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Prune } from "charlotte/tasks"
import { Chunk, Duration, Effect, Fiber, Option, Stream } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { task, unit } from "../Jobs.js"
import { eventually } from "../../process/workshop.js"
import { phases } from "./Phases.js"
import * as Witness from "./Witness.js"

const grace = Duration.seconds(2)

describe("stopping a task job whose agent ignores SIGTERM", () => {
  it.scopedLive("uses SIGKILL, and report and events name the killed processes", () =>
    Effect.gen(function* () {
      const world = yield* Witness.world
      const { config } = yield* Witness.job(world, {
        "u/IMPLEMENTATION_PLAN.md": unit(),
        "u/01-task.md": task(1, `trap '' TERM\necho $$ > "$WITNESS/deaf"\nexec sleep 1000`, "true")
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start(config)
        const said = () => existsSync(`${world.witness}/deaf`) && readFileSync(`${world.witness}/deaf`, "utf8")
        yield* eventually("the agent", () => said().toString().endsWith("\n"))
        const pid = Number(said())
        const report = yield* manager.stop(id, { grace: Duration.millis(100) })
        const killed = [{ pid, command: "sleep" }]
        expect(report).toMatchObject({ mode: "forced", killed })
        const events = Chunk.toReadonlyArray(yield* Stream.runCollect(manager.events(id)))
        expect(events.filter(({ type }) => type === "orch.killed")).toMatchObject([
          { payload: { purpose: "agent of task 1 of unit u", processes: killed, total: 1 } }
        ])
      }).pipe(Effect.provide(Witness.manager(world)))
    })
  )
})

describe("stopping a task job in each of its phases", () => {
  it.scopedLive(
    "ends within the grace period plus a second, leaves nothing behind, and lands all of the work or none",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const { config, top, untouched } = yield* Witness.job(world)
        const { trailers } = yield* Witness.undisturbed()
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
            expect(yield* Witness.trailers(world, top, "mine..main")).toEqual(name === "landing" ? trailers : [])
            yield* untouched
          }
          expect(yield* Prune.prune({ discard: true })).toMatchObject([{ problems: [], kept: [] }])
          expect(yield* world.git(top, "for-each-ref", "refs/heads/charlotte")).toBe("")
        }).pipe(Effect.provide(Witness.manager(world)))
      }),
    300_000
  )
})
