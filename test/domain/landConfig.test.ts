import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { JobId } from "../../src/domain/JobId.js"
import { landConfig } from "../../src/domain/landConfig.js"

const id = JobId.make("01KB3N5QZ4M6Y2V8T7R1S9W0XE")
const config = { repoPath: "/home/ada/app", tasksDir: "tasks", targetBranch: "main" }

describe("the configuration of a job that lands the work of another", () => {
  it.effect("is that of the other, without its agent and without what it retries", () =>
    Effect.gen(function* () {
      const former = { ...config, agent: "claude", land: "never", retryOf: id, units: ["b"], fresh: true, dryRun: true }
      const landing = JSON.parse(JSON.stringify(yield* landConfig({ id, config: former }, ["a"])))
      expect(landing).toEqual({ ...config, concurrency: 4, dryRun: false, land: "never", landOf: id, units: ["a"] })
    })
  )

  it.effect("does not exist for a job of another kind", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(landConfig({ id, config: { to: "ann@example.com" } }))
      expect(message).toBe(`invalid job configuration: landOf: job ${id} is not a task job, so it has no work`)
    })
  )
})
