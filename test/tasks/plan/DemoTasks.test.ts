import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { cpSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as TaskDirectory from "../../../src/tasks/plan/TaskDirectory.js"
import { files, repository } from "./TaskFiles.js"

const demo = fileURLToPath(new URL("../../../examples/demo", import.meta.url))

/** A fresh copy of the example. */
const copy = Effect.map(repository({}), (path) => {
  cpSync(join(demo, "project"), path, { recursive: true })
  cpSync(join(demo, "tasks"), join(path, "tasks"), { recursive: true })
  return path
})

const sh = (cwd: string, command: string) => spawnSync("sh", ["-e", "-c", command], { cwd, encoding: "utf8" })

describe("the demo tasks", () => {
  it.scoped("are a plan for the script agent, with two independent units and one that depends on both", () =>
    Effect.gen(function* () {
      const plan = yield* TaskDirectory.read({ repository: yield* copy, tasksDir: "tasks", agent: "script" })
      expect(plan.settings.agent).toBe("script")
      expect(plan.waves.map((wave) => wave.map(({ id }) => id))).toEqual([["silk", "words"], ["barn"]])
      expect(plan.units.flatMap(({ remaining }) => remaining)).toHaveLength(7)
    }).pipe(Effect.provide(files))
  )

  it.scoped(
    "have gates that fail before the work, but for the one that proves nothing, and pass after it and from then on",
    () =>
      Effect.gen(function* () {
        const path = yield* copy
        const plan = yield* TaskDirectory.read({ repository: path, tasksDir: "tasks" })
        const tasks = plan.units.flatMap(({ tasks }) => tasks)
        for (const { agents, backpressure, file, scripts } of tasks) {
          const provesNothing = agents.some(({ agent }) => agent === "visitor")
          expect(sh(path, backpressure).status === 0, file).toBe(provesNothing)
          for (const script of scripts)
            expect(sh(path, script), file).toMatchObject({ status: 0, stdout: "", stderr: "" })
          expect(sh(path, backpressure), file).toMatchObject({ status: 0, stdout: "", stderr: "" })
        }
        for (const { backpressure, file } of tasks) expect(sh(path, backpressure).status, file).toBe(0)
        expect(readFileSync(join(path, "README.md"), "utf8")).toContain("\n-- some pig ---\n")
      }).pipe(Effect.provide(files))
  )
})
