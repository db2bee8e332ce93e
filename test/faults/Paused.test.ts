/**
 * A manager whose process is suspended, as on a machine that sleeps.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { life, withStore } from "../manager/lives.js"
import { isFree } from "../support/foreign.js"
import { isLong } from "../support/long.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Child from "./Child.js"
import { fileIsSound } from "./sound.js"

const seconds = isLong ? 90 : 2

/** The result of starting another manager on the same database. */
const anotherManager = (filename: string) =>
  Effect.scoped(
    Layer.build(
      JobManager.layer().pipe(
        Layer.provide([Orchestrator.layer(() => Effect.never), RunStore.layer]),
        Layer.provide(Database.layer({ filename }))
      )
    )
  )

/** Suspends the process outside any transaction, whose lock would block all others. */
const suspend = (child: Child.Child, file: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* child.signal("SIGSTOP")
    if (yield* isFree(file)) return
    yield* child.signal("SIGCONT")
    yield* Effect.sleep(1)
    yield* suspend(child, file)
  })

describe("a suspended manager process", () => {
  it.scopedLive(
    `keeps its jobs for ${seconds} seconds, and continues them`,
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const file = `${directory}/jobs.db`
        const child = yield* Child.start(process.execPath, [yield* Child.bundle(directory), "work", file])
        yield* child.firstMessage
        yield* suspend(child, file)
        const before = yield* Effect.flatMap(RunStore.RunStore, (store) => store.latestCursor).pipe(withStore(file))
        // A suspended process is alive, so no other manager may take its jobs.
        for (let n = 0; n < 4; n++) {
          yield* Effect.sleep((seconds * 1_000) / 4)
          expect(yield* Effect.flip(anotherManager(file))).toMatchObject({ _tag: "AlreadyManaged", pid: child.pid })
        }
        yield* child.signal("SIGCONT")
        yield* Effect.flatMap(RunStore.RunStore, (store) =>
          Effect.repeat(Effect.delay(store.latestCursor, 10), { until: (cursor) => cursor > before + 10 })
        ).pipe(withStore(file))
        yield* child.signal("SIGTERM")
        const { code, log, messages } = yield* child.ended
        expect(code, log).toBe(0)
        yield* fileIsSound(file, { maxJobs: 10 })
        const runs = yield* Effect.flatMap(RunStore.RunStore, (store) => store.list()).pipe(withStore(file))
        expect(runs.map(({ attempt, status }) => [attempt, status])).toEqual(runs.map(() => [1, "interrupted"]))
        expect(messages).toEqual([{ tag: "working", ids: runs.map(({ id }) => id).sort() }])
        // Now another manager can take them.
        yield* Effect.flatMap(JobManager.JobManager, ({ stopAll }) => stopAll).pipe(life(file))
        yield* fileIsSound(file)
      }),
    (seconds + 30) * 1_000
  )
})
