/** The baseline on the target, before the first turn of an agent. */
import { describe, expect, it } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, task, unit } from "../Jobs.js"
import { counted, counting } from "./Scenes.js"

const scene = (baseline: (world: Repository.Sandbox) => string) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const { config } = yield* repository(world, {
      "charlotte.yaml": `baseline: ${baseline(world)}\n`,
      "a/IMPLEMENTATION_PLAN.md": unit(),
      "a/01-a.md": task(1, "", "test -e a.out")
    })
    const agent = new Agents.Profile({
      name: "paid",
      command: ["sh", "-c", `cat > /dev/null; ${counting(world, "turn")}; touch a.out`],
      prompt: "stdin",
      format: "text",
      env: []
    })
    const job = run({ ...config, agent: "paid", land: false }).pipe(
      Effect.provide(charlotte(world, { profiles: [agent] }))
    )
    return { world, job }
  })

const list = (command: string) => `[${JSON.stringify(command)}]`

describe("the baseline before any work", () => {
  it.scopedLive("ends the job with the words of the tests where it is red, and no agent is paid", () =>
    Effect.gen(function* () {
      const { job, world } = yield* scene(() => list("echo two tests fail; exit 1"))
      const { run, types } = yield* job
      expect(run).toMatchObject({
        status: "failed",
        error: {
          error: {
            _tag: "CommandFailed",
            purpose: "baseline on main, before any work,",
            reason:
              "exited with code 1: two tests fail. No work could land: mend it first, or set baseline: { run: [...], before: false }",
            log: expect.stringMatching(/\/baseline-before-1-1\.log$/)
          }
        }
      })
      expect(yield* counted(world, "turn")).toBe(0)
      expect(types).not.toContain("unit.started a")
    })
  )

  it.scopedLive("runs once for jobs on the same commit, and says how long it took", () =>
    Effect.gen(function* () {
      const { job, world } = yield* scene((world) => list(counting(world, "baseline")))
      const [first, second] = [yield* job, yield* job]
      expect([first.run.status, second.run.status]).toEqual(["completed", "completed"])
      const said = first.events.filter(({ type }) => type === "orch.baseline")
      expect(said.map(({ payload }) => payload)).toEqual([
        { commit: expect.stringMatching(/^[0-9a-f]{40}$/), took: expect.any(Number) }
      ])
      expect(second.types).not.toContain("orch.baseline")
      // Before the first job, and on the result of each.
      expect(yield* counted(world, "baseline")).toBe(3)
    })
  )

  it.scopedLive("does not run where it is turned off", () =>
    Effect.gen(function* () {
      const { job, world } = yield* scene(() => "{ run: [test -e a.out], before: false }")
      const { run, types } = yield* job
      expect(run.status).toBe("completed")
      expect(types).not.toContain("orch.baseline")
      expect(yield* counted(world, "turn")).toBe(1)
    })
  )
})
