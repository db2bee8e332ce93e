/** The schedules of `config.yaml`. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { ConfigProvider, Effect, Layer, TestClock } from "effect"
import { writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as TaskSchedules from "../../../src/daemon/serve/TaskSchedules.js"
import { poll } from "../../../src/internal/RealClock.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const configured = (text: string) =>
  Configuration.layer.pipe(
    Layer.provide(
      Layer.unwrapScoped(
        Effect.map(TemporaryDirectory.make, (home) => {
          writeFileSync(`${home}/config.yaml`, text)
          return Home.layerAt(home)
        })
      )
    ),
    Layer.provide(NodeContext.layer),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
  )

const nightly = `
schedules:
  - { name: nightly, cron: "0 2 * * *", timeZone: Europe/Berlin, repository: /repository, agent: claude }
  - { name: weekly, cron: "0 3 * * 1", timeZone: UTC, repository: /repository, branch: next, tasks: chores }
`

/** The schedules of that configuration, until the effect has ended. */
const during = <A, E, R>(text: string, use: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.zipRight(Effect.provide(TaskSchedules.make({ isNode: false }), configured(text)), use))

const runs = Effect.flatMap(RunStore.RunStore, ({ list }) => list())

const names = Effect.flatMap(RunStore.RunStore, ({ schedules }) =>
  Effect.map(schedules.list, (all) => all.map(({ name }) => name))
)

const manager = JobManager.layer().pipe(
  Layer.provideMerge(Layer.merge(RunStore.layerMemory, ScriptedOrchestrator.layer()))
)

describe("schedules of tasks", () => {
  it.scoped("start jobs of tasks at their ticks, and go when the configuration no longer has them", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-03T12:00Z"))
      const started = (n: number) => poll(runs, { until: (all) => all.length === n, pause: 1, atMost: "20 seconds" })
      const tick = (time: string, n: number) => Effect.zipRight(TestClock.setTime(Date.parse(time)), started(n))
      yield* during(
        nightly,
        Effect.gen(function* () {
          expect(yield* names).toEqual(["nightly", "weekly"])
          const [first] = yield* tick("2026-01-04T01:00Z", 1)
          expect(first).toMatchObject({
            kind: "tasks",
            labels: { schedule: "nightly" },
            config: { repoPath: "/repository", tasksDir: "tasks", targetBranch: "main", agent: "claude" }
          })
          yield* TestClock.setTime(Date.parse("2026-01-05T01:00Z"))
          const [second] = yield* tick("2026-01-05T03:00Z", 2)
          expect(second).toMatchObject({
            labels: { schedule: "weekly" },
            config: { tasksDir: "chores", targetBranch: "next" }
          })
        })
      )
      yield* during("maxJobs: 3", Effect.void)
      expect(yield* names).toEqual([])
    }).pipe(Effect.provide(manager))
  )
})
