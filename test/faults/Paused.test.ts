/** A manager whose process stands still for a while, as on a machine that was put to sleep. */
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

/** The answer to another one that would have its jobs. */
const anotherManager = (filename: string) =>
  Effect.scoped(
    Layer.build(
      JobManager.layer().pipe(
        Layer.provide([Orchestrator.layer(() => Effect.never), RunStore.layer]),
        Layer.provide(Database.layer({ filename }))
      )
    )
  )

/** Not in the midst of a transaction: the lock of that would keep everybody out. */
const standStill = (child: Child.Child, file: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* child.signal("SIGSTOP")
    if (yield* isFree(file)) return
    yield* child.signal("SIGCONT")
    yield* Effect.sleep(1)
    yield* standStill(child, file)
  })

describe("a manager that stands still", () => {
  it.scopedLive(
    `for ${seconds} seconds keeps its jobs, and goes on with them`,
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const file = `${directory}/jobs.db`
        const child = yield* Child.start(process.execPath, [yield* Child.bundle(directory), "work", file])
        yield* child.told
        yield* standStill(child, file)
        const before = yield* Effect.flatMap(RunStore.RunStore, (store) => store.latestCursor).pipe(withStore(file))
        // It is as alive as it was: nobody may take its jobs.
        for (let n = 0; n < 4; n++) {
          yield* Effect.sleep((seconds * 1_000) / 4)
          expect(yield* Effect.flip(anotherManager(file))).toMatchObject({ _tag: "AlreadyManaged", pid: child.pid })
        }
        yield* child.signal("SIGCONT")
        yield* Effect.flatMap(RunStore.RunStore, (store) =>
          Effect.repeat(Effect.delay(store.latestCursor, 10), { until: (cursor) => cursor > before + 10 })
        ).pipe(withStore(file))
        yield* child.signal("SIGTERM")
        const { code, log, told } = yield* child.ended
        expect(code, log).toBe(0)
        yield* fileIsSound(file, { maxJobs: 10 })
        const runs = yield* Effect.flatMap(RunStore.RunStore, (store) => store.list()).pipe(withStore(file))
        expect(runs.map(({ attempt, status }) => [attempt, status])).toEqual(runs.map(() => [1, "interrupted"]))
        expect(told).toEqual([{ tag: "working", ids: runs.map(({ id }) => id).sort() }])
        // Now they are free to be taken.
        yield* Effect.flatMap(JobManager.JobManager, ({ stopAll }) => stopAll).pipe(life(file))
        yield* fileIsSound(file)
      }),
    (seconds + 30) * 1_000
  )
})
