/** What a process learns of the removals of others. */
import { expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Context, Effect, Layer } from "effect"
import { poll } from "../../src/internal/RealClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { at, created, id, kind } from "./runs.js"

it.scopedLive("a process that follows the commits of others learns of what they remove", () =>
  Effect.gen(function* () {
    const filename = yield* TemporaryDirectory.file("jobs.sqlite")
    const opened = Effect.map(
      Layer.build(Layer.fresh(RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))))),
      Context.get(RunStore.RunStore)
    )
    const [here, there] = [yield* opened, yield* opened]
    yield* Effect.provideService(created(1), RunStore.RunStore, there)
    yield* there.record({ type: "job.completed", jobId: id(1), attempt: 1, at: at(1), result: null })
    yield* here.producers.follow
    // What others did while nothing was followed is unknown, so it counts, too.
    const first = yield* poll(here.prunings, { until: (count) => count >= 2, pause: 10, atMost: "20 seconds" })
    yield* there.remove({ kind, jobId: id(1), isPinnedToo: false, at: at(2) })
    const next = yield* poll(here.prunings, { until: (count) => count > first, pause: 10, atMost: "20 seconds" })
    expect(next).toBe(first + 1)
  })
)
