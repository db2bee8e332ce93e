/** Nodes with different versions of a kind: the next one has a required field more. */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore } from "charlotte"
import * as Cluster from "charlotte/cluster"
import { Array, Context, Effect, ExecutionStrategy, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { RefusalTime } from "../../../src/cluster/refusals.js"
import * as TestDatabase from "../database.js"
import { freePort } from "./nodes.js"

class Old extends JobKind.Tag<Old>()("email", { config: Schema.Struct({ to: Schema.String }) }) {}
class Next extends JobKind.Tag<Next>()("email", {
  config: Schema.Struct({ to: Schema.String, template: Schema.String })
}) {}

const options = { maxJobs: 12, capacity: 6, stopGrace: "1 second", run: () => Effect.sleep("100 millis") } as const

/** Managers of each version, and a start of a job that it can decode. */
const versions = {
  old: {
    layer: Cluster.JobKind.layerCluster(Old, options),
    start: (services: Context.Context<Old>) => Context.get(services, Old).start({ to: "ada" }, { whenFull: "queue" })
  },
  next: {
    layer: Cluster.JobKind.layerCluster(Next, options),
    start: (services: Context.Context<Next>) =>
      Context.get(services, Next).start({ to: "ada", template: "welcome" }, { whenFull: "queue" })
  }
}

type Version = keyof typeof versions

/** A place where one node after another runs. */
const place = (url: string) =>
  Effect.gen(function* () {
    const address = `127.0.0.1:${yield* freePort}`
    const outer = yield* Effect.scope
    const under = Cluster.Engine.layer({ address }).pipe(
      Layer.provideMerge(RunStore.layer),
      Layer.provide(Database.layerPostgres({ url }))
    )
    let current: { readonly start: Effect.Effect<string, unknown>; readonly close: Effect.Effect<void> } | undefined
    const become = (version: Version) =>
      Effect.gen(function* () {
        const before = current
        current = undefined
        if (before !== undefined) yield* before.close
        const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
        const close = Scope.close(scope, Exit.void)
        if (version === "old") {
          const services = yield* Layer.buildWithScope(Layer.provide(versions.old.layer, under), scope)
          current = { start: versions.old.start(services), close }
        } else {
          const services = yield* Layer.buildWithScope(Layer.provide(versions.next.layer, under), scope)
          current = { start: versions.next.start(services), close }
        }
      })
    return { become, start: Effect.suspend(() => current?.start ?? Effect.fail("it is not there")) }
  })

const isTerminal = (status: string) => ["completed", "failed", "cancelled"].includes(status)

const counts = (url: string) =>
  Effect.map(TestDatabase.rowsOf(url, "SELECT status, count(*) AS runs FROM charlotte_runs GROUP BY status"), (rows) =>
    Object.fromEntries(rows.map(({ runs, status }) => [String(status), Number(runs)]))
  )

describe("a kind that gets a required field", () => {
  it.scopedLive(
    "loses no job while it is rolled out node by node under load, and back",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const places = yield* Effect.forEach(Array.range(1, 3), () => place(url))
        for (const { become } of places) yield* become("old")
        const waiting = 10
        let started = waiting
        const load = yield* Effect.fork(
          Effect.forEach(
            places,
            ({ start }) =>
              Effect.forever(
                Effect.match(start, { onFailure: () => {}, onSuccess: () => void (started += 1) }).pipe(
                  Effect.zipRight(Effect.sleep("30 millis"))
                )
              ),
            { concurrency: "unbounded", discard: true }
          )
        )
        const roll = (version: Version, some: ReadonlyArray<(typeof places)[number]> = places) =>
          Effect.forEach(some, ({ become }) => Effect.zipLeft(become(version), Effect.sleep("2 seconds")), {
            discard: true
          })
        yield* roll("next", places.slice(0, -1))
        // What is started during a pause waits until no node of its version is left.
        yield* TestDatabase.adminOf(url, "INSERT INTO charlotte_pauses (kind, paused_at) VALUES ('email', 0)")
        for (const { start } of places.slice(-1)) yield* Effect.replicateEffect(start, waiting)
        yield* roll("next", places.slice(-1))
        yield* TestDatabase.adminOf(url, "DELETE FROM charlotte_pauses")
        const refused = yield* TestDatabase.rowsOf(
          url,
          "SELECT id FROM charlotte_runs WHERE refused_by IS NOT NULL AND ended_at IS NULL"
        ).pipe(Effect.delay("200 millis"), Effect.repeat({ until: ({ length }) => length >= waiting }))
        const middle = yield* counts(url)
        expect(middle["failed"] ?? 0).toBe(0)
        yield* roll("old")
        yield* Fiber.interrupt(load)
        const end = yield* counts(url).pipe(
          Effect.delay("200 millis"),
          Effect.repeat({ until: (all) => Object.keys(all).every((status) => isTerminal(status)) })
        )
        process.stdout.write(
          `versions: ${started} started, ${JSON.stringify(middle)} with the next version everywhere, ` +
            `${refused.length} refused then; at the end ${JSON.stringify(end)}\n`
        )
        expect(Object.keys(end)).toEqual(["completed"])
        // The answer of a start is lost if its node closes meanwhile.
        expect(end["completed"]).toBeGreaterThanOrEqual(started)
      }),
    300_000
  )

  it.scopedLive(
    "fails the jobs that no node of another version has begun in time, with the error of the decoding",
    () =>
      Effect.gen(function* () {
        const url = yield* TestDatabase.make
        const node = yield* place(url)
        yield* node.become("old")
        yield* TestDatabase.adminOf(url, "INSERT INTO charlotte_pauses (kind, paused_at) VALUES ('email', 0)")
        const id = yield* node.start
        yield* node.become("next")
        yield* TestDatabase.adminOf(url, "DELETE FROM charlotte_pauses")
        const [row] = yield* TestDatabase.rowsOf(
          url,
          `SELECT status, error, refused_by FROM charlotte_runs WHERE id = '${id}'`
        ).pipe(Effect.delay("200 millis"), Effect.repeat({ until: ([row]) => row?.["status"] === "failed" }))
        expect(row).toMatchObject({ status: "failed", error: expect.stringContaining("template"), refused_by: null })
      }).pipe(Effect.provideService(RefusalTime, "1 second")),
    120_000
  )
})
