/**
 * Stopping more jobs on another node than that has requests at work at once: the rest it finds in the rows.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { Context, Effect, Layer, Schema } from "effect"
import { isLong } from "../../support/long.js"
import * as TestDatabase from "../database.js"
import { freeAddress } from "../engineAt.js"

/** The figures, on a machine that is calm; or some more than 64 with much time, on one that is busy. */
const [count, stopGrace] = isLong ? ([2_000, "5 seconds"] as const) : ([100, "30 seconds"] as const)

class Waiting extends JobKind.Tag<Waiting>()("waiting", { config: Schema.Struct({}) }) {}

const node = (url: string, capacity: number) =>
  Effect.flatMap(freeAddress, (address) =>
    Effect.map(
      Layer.build(
        Cluster.JobKind.layerCluster(Waiting, { maxJobs: count, capacity, stopGrace, run: () => Effect.never }).pipe(
          Layer.provide(Cluster.Engine.layer({ address })),
          Layer.provide(RunStore.layer),
          Layer.provide(Database.layerPostgres({ url }))
        )
      ),
      Context.get(Waiting)
    )
  )

describe("stopAll", () => {
  it.scopedLive("stops all jobs of another node within their grace and a second", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const busy = yield* node(url, count)
      yield* Effect.replicateEffect(busy.start({}), count, { concurrency: 100 })
      const other = yield* node(url, 1)
      const reports = yield* other.stopAll
      expect(reports).toHaveLength(count)
      expect(reports.filter(({ mode, status }) => mode !== "graceful" || status !== "cancelled")).toEqual([])
      expect(yield* busy.activeCount).toBe(0)
    })
  )
})
