/** Stopping many jobs at the same time. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Context, Effect, Layer, Option, Stream } from "effect"
import { config } from "../support/jobs.js"

/** Calls a function in each turn of the event loop, until the scope closes. */
const eachTurn = (use: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const next = () => {
        use()
        turn.next = setImmediate(next)
      }
      const turn = { next: setImmediate(next) }
      return turn
    }),
    ({ next }) => Effect.sync(() => clearImmediate(next))
  )

describe("stopAllBy", () => {
  it.scopedLive("records with each job who stops it, whether it runs or waits", () =>
    Effect.gen(function* () {
      const { events, start, stopAllBy } = yield* JobManager.JobManager
      const running = yield* start(config)
      const waiting = yield* start(config, { whenFull: "queue" })
      yield* stopAllBy("ada")
      for (const [id, type] of [
        [running, "job.stopping"],
        [waiting, "job.cancelled"]
      ] as const) {
        const stopped = Stream.runHead(Stream.filter(events(id), (event) => event.type === type))
        expect(Option.getOrThrow(yield* stopped)).toMatchObject({ payload: { by: "ada" } })
      }
    }).pipe(
      Effect.provide(
        JobManager.layer({ maxJobs: 1 }).pipe(
          Layer.provide([Orchestrator.layer(() => Effect.never), RunStore.layerMemory])
        )
      )
    )
  )
})

describe("stopAll of 400 jobs", () => {
  // Where the event loop is busy with stops for a second, those before are interrupted before their intents are recorded.
  it.scopedLive("begins at most 100 stops in one turn of the event loop", () =>
    Effect.gen(function* () {
      const inTurns: Array<number> = []
      const memory = Context.get(yield* Layer.build(RunStore.layerMemory), RunStore.RunStore)
      const store: RunStore.Service = {
        ...memory,
        record: (change) => {
          if (change.type === "job.stopping") inTurns[0] = (inTurns[0] ?? 0) + 1
          return memory.record(change)
        }
      }
      const reports = yield* Effect.gen(function* () {
        const { start, stopAll } = yield* JobManager.JobManager
        yield* Effect.replicateEffect(start(config), 400)
        return yield* Effect.zipRight(
          eachTurn(() => inTurns.unshift(0)),
          stopAll
        )
      }).pipe(
        Effect.provide(
          JobManager.layer({ maxJobs: 400 }).pipe(
            Layer.provide([Orchestrator.layer(() => Effect.never), Layer.succeed(RunStore.RunStore, store)])
          )
        )
      )
      expect(reports.filter(({ mode }) => mode === "graceful")).toHaveLength(400)
      expect(Math.max(...inTurns)).toBeLessThanOrEqual(100)
    })
  )
})
