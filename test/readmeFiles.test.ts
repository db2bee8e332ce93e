/** The files that the README shows of tasks and of configuration are taken as they stand there. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Configuration from "../src/daemon/Configuration.js"
import * as Home from "../src/daemon/Home.js"
import * as Settings from "../src/tasks/plan/Settings.js"
import * as TaskFile from "../src/tasks/plan/TaskFile.js"
import * as UnitFile from "../src/tasks/plan/UnitFile.js"
import * as TemporaryDirectory from "./support/TemporaryDirectory.js"

const readme = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8")

const [, chapter = ""] = /^## Tasks\n(.*?)^## /ms.exec(readme) ?? []

const [task = "", plan = "", settings = "", configuration = "", ...others] = [
  ...chapter.matchAll(/^```\w+\n(.*?)^```$/gms)
].map(([, text = ""]) => text)

describe("the README, on tasks", () => {
  it("shows files of which each is what it is said to be", () => {
    expect(configuration).not.toBe("")
    expect(others).toEqual([])
    expect(TaskFile.parse("03-parser.md", task)).toMatchObject({
      number: 3,
      status: "pending",
      title: "Write the parser",
      backpressure: "npm test",
      dependsOn: [{ to: 1 }, { to: 2 }],
      problems: []
    })
    expect(UnitFile.parse("IMPLEMENTATION_PLAN.md", "pages", plan)).toMatchObject({
      id: "web",
      dependsOn: [{ to: "api" }, { to: "database" }],
      problems: []
    })
    expect(Settings.parse("charlotte.yaml", settings)).toMatchObject({
      settings: {
        setup: "npm ci",
        copy: [".env"],
        baseline: ["npm test"],
        agent: "claude",
        attempts: Settings.defaults.attempts,
        limits: { agentCalls: 40, duration: Duration.hours(3) }
      },
      problems: []
    })
  })

  it.scoped("shows a config.yaml", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      writeFileSync(`${home}/config.yaml`, configuration)
      const { agents, maxJobs, stopGrace } = yield* Configuration.Configuration.pipe(
        Effect.provide(Configuration.layer.pipe(Layer.provide(Home.layerAt(home)), Layer.provide(NodeContext.layer)))
      )
      expect(agents.profiles.map(({ name }) => name).toSorted()).toEqual(["claude", "codex", "mine"])
      expect(agents.profiles.find(({ name }) => name === "mine")).toMatchObject({
        command: ["my-agent", "--task", "{prompt}"],
        prompt: "file",
        env: ["MY_AGENT_KEY"],
        timeout: Duration.hours(1)
      })
      expect(agents.gates.env).toEqual(["DATABASE_URL"])
      expect([maxJobs, stopGrace]).toEqual([10, Duration.seconds(5)])
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
