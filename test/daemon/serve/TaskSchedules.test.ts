/** The schedules of `config.yaml`. */
import { describe, expect, it } from "@effect/vitest"
import { errors, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { ConfigProvider, Effect, Layer, Logger, LogLevel, Ref, TestClock } from "effect"
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

const quiet = Logger.withMinimumLogLevel(LogLevel.None)

const nightly = `
schedules:
  - { name: nightly, cron: "0 2 * * *", timeZone: Europe/Berlin, repository: /repository, agent: claude }
  - { name: weekly, cron: "0 3 * * 1", timeZone: UTC, repository: /repository, branch: next, tasks: chores }
`

/** The schedules of that configuration, until the effect has ended. */
const during = <A, E, R>(text: string, use: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.zipRight(Effect.provide(TaskSchedules.make({ isNode: false }), configured(text)), use))

const soon = { pause: 1, atMost: "60 seconds" } as const

const runs = Effect.flatMap(RunStore.RunStore, ({ list }) => list())

/** Waits until there are so many jobs, and they run. */
const running = (count: number) =>
  poll(runs, { ...soon, until: (all) => all.length === count && all.every(({ status }) => status === "running") })

/** Waits until the schedules with these names are recorded, and no other ones. */
const recorded = (...names: ReadonlyArray<string>) =>
  Effect.flatMap(RunStore.RunStore, ({ schedules }) =>
    poll(schedules.list, { ...soon, until: (all) => String(all.map(({ name }) => name)) === String(names) })
  )

const scripted = JobManager.layer().pipe(Layer.provideMerge(ScriptedOrchestrator.layer()))

describe("schedules of tasks", () => {
  it.scoped("start jobs of tasks at their ticks, and go when the configuration no longer has them", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-03T12:00Z"))
      yield* during(
        nightly,
        Effect.gen(function* () {
          yield* recorded("nightly", "weekly")
          yield* TestClock.setTime(Date.parse("2026-01-04T01:00Z"))
          const [first] = yield* running(1)
          expect(first).toMatchObject({
            kind: "tasks",
            labels: { schedule: "nightly" },
            config: { repoPath: "/repository", tasksDir: "tasks", targetBranch: "main", agent: "claude" }
          })
          // By then the job of the tick before still runs.
          yield* TestClock.setTime(Date.parse("2026-01-05T03:00Z"))
          const [second] = yield* running(2)
          expect(second).toMatchObject({
            labels: { schedule: "weekly" },
            config: { tasksDir: "chores", targetBranch: "next" }
          })
        })
      )
      yield* during("maxJobs: 3", recorded())
    }).pipe(Effect.provide(Layer.provideMerge(scripted, RunStore.layerMemory)), quiet)
  )
})

describe("schedules of tasks on a store that is unreachable at first", () => {
  it.scoped("start jobs once it is there", () =>
    Effect.gen(function* () {
      const { schedules } = yield* RunStore.RunStore
      const registered = yield* Ref.make(0)
      const unreachable = new errors.StoreError({ operation: "register a schedule", reason: "unreachable", cause: "" })
      const failing = Layer.effect(
        RunStore.RunStore,
        Effect.map(RunStore.RunStore, (store) => ({
          ...store,
          schedules: {
            ...schedules,
            register: (registration: Parameters<typeof schedules.register>[0]) =>
              Effect.flatMap(
                Ref.updateAndGet(registered, (count) => count + 1),
                (count) => (count <= 2 ? unreachable : schedules.register(registration))
              )
          }
        }))
      )
      yield* Effect.provide(
        during(
          nightly,
          poll(Effect.zipRight(TestClock.adjust("5 seconds"), schedules.list), {
            ...soon,
            until: (all) => all.length === 2
          })
        ),
        failing
      )
    }).pipe(Effect.provide(RunStore.layerMemory), quiet)
  )
})
