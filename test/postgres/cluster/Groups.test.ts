/** Many nodes in one process, all of which start jobs of the same groups at the same time. */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { Array, Context, Effect, Layer, Schema } from "effect"
import { isLong } from "../../support/long.js"
import * as TestDatabase from "../database.js"
import * as after from "../groupsAfter.js"
import { freePort } from "./nodes.js"

const [nodes, starts, groups] = isLong ? [20, 500, 100] : [3, 60, 12]

const maxPerGroup = 2

class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({ group: Schema.String }),
  group: ({ group }) => group
}) {}

/** The work of a node, and how many jobs of each group are at work on all nodes at most. */
const counted = () => {
  const working = new Map<string, number>()
  let most = 0
  const count = (group: string, by: number) =>
    Effect.sync(() => {
      const now = (working.get(group) ?? 0) + by
      working.set(group, now)
      most = Math.max(most, now)
    })
  const run = ({ config: { group } }: { readonly config: typeof Work.config.Type }) =>
    Effect.acquireUseRelease(
      count(group, 1),
      () => Effect.sleep(5),
      () => count(group, -1)
    )
  return { run, most: () => most }
}

const node = (url: string, run: ReturnType<typeof counted>["run"]) =>
  Effect.gen(function* () {
    const store = Cluster.Engine.layer({ address: `127.0.0.1:${yield* freePort}` }).pipe(
      Layer.provideMerge(RunStore.layer),
      // Two lanes write, and one reads.
      Layer.provide(Database.layerPostgres({ url, maxConnections: 4 }))
    )
    const work = Cluster.JobKind.layerCluster(Work, { maxJobs: 10 * nodes, capacity: 10, maxPerGroup, run })
    return Context.get(yield* Layer.build(Layer.provide(work, store)), Work)
  })

describe(`${nodes} nodes that start ${starts} jobs each of ${groups} groups at once`, () => {
  it.scopedLive(
    "refuse none, run at most as many of each group as allowed, and end all",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const { most, run } = counted()
        const works = yield* Effect.forEach(Array.range(1, nodes), () => node(url, run))
        const began = performance.now()
        yield* Effect.forEach(
          works,
          (work) =>
            Effect.forEach(
              Array.range(1, starts),
              (n) => work.start({ group: `${n % groups}` }, { whenFull: "queue" }),
              { concurrency: "unbounded", discard: true }
            ),
          { concurrency: "unbounded", discard: true }
        )
        const started = performance.now()
        yield* after.allOver(url)
        const seconds = (millis: number) => (millis / 1_000).toFixed(1)
        process.stdout.write(
          `groups: ${nodes * starts} starts in ${seconds(started - began)} s, all ended after ${seconds(performance.now() - began)} s\n`
        )
        expect(yield* after.statuses(url)).toEqual({ completed: nodes * starts })
        expect(yield* after.mostAtOnce(url)).toBeLessThanOrEqual(maxPerGroup)
        expect(most()).toBeLessThanOrEqual(maxPerGroup)
      }),
    600_000 + nodes * starts * 120
  )
})
