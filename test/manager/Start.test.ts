import { describe, expect, it } from "@effect/vitest"
import { errors, JobConfig, JobId, JobManager, Orchestrator, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step, TestManager } from "charlotte/testing"
import { DateTime, Deferred, Effect, Layer, Option, Ref } from "effect"
import { config } from "../support/jobs.js"

describe("start", () => {
  it.effect("never runs more jobs than it has permits, and uses all of them", () =>
    Effect.gen(function* () {
      const running = yield* Ref.make({ now: 0, most: 0 })
      const change = (by: number) =>
        Ref.update(running, ({ most, now }) => ({ now: now + by, most: Math.max(most, now + by) }))
      const latch = yield* Effect.makeLatch()
      const Counting = Orchestrator.layer(() =>
        Effect.zipRight(
          Effect.acquireRelease(change(1), () => change(-1)),
          latch.await
        )
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const starts = yield* Effect.forEach(Array.from({ length: 200 }), () => Effect.either(manager.start(config)), {
          concurrency: "unbounded"
        })
        const started = starts.flatMap((start) => (start._tag === "Right" ? [start.right] : []))
        const refused = starts.flatMap((start) => (start._tag === "Left" ? [start.left._tag] : []))
        expect(started).toHaveLength(7)
        expect(refused).toEqual(Array.from({ length: 193 }, () => "MaxJobsReached"))
        yield* latch.open
        yield* Effect.forEach(started, manager.await)
        expect((yield* Ref.get(running)).most).toBe(7)
      }).pipe(Effect.provide(JobManager.layer({ maxJobs: 7 }).pipe(Layer.provide([Counting, RunStore.layerMemory]))))
    })
  )

  it.effect("gives ids above the greatest of the store, whatever the clock says", () =>
    Effect.gen(function* () {
      const store = yield* RunStore.RunStore
      // Of a time when the clock was wrong, and of another kind.
      const future = JobId.make("7ZZZZZZZZY0000000000000000")
      yield* store.create({
        id: future,
        kind: "other",
        key: undefined,
        config: {},
        labels: {},
        at: yield* DateTime.now
      })
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const ids = [yield* manager.start(config), yield* manager.start({ ...config, targetBranch: "other" })]
        expect([future, ...ids].toSorted()).toEqual([future, ...ids])
        const [latest] = yield* store.list({ limit: 1 })
        expect(latest?.id).toBe(ids[1])
      }).pipe(
        Effect.provide(
          Layer.provide(
            JobManager.layer(),
            Orchestrator.layer(() => Effect.never)
          )
        )
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.effect("reports all invalid and unknown fields at once, and writes nothing", () =>
    Effect.gen(function* () {
      const { start } = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const wrong = {
        repoPath: "relative",
        targetBranch: "",
        concurrency: 0,
        dryRun: "yes",
        labels: { team: 1 },
        dryrun: true
      }
      // @ts-expect-error a caller without types
      const error = yield* Effect.flip(start(wrong))
      expect(error).toBeInstanceOf(errors.InvalidJobConfig)
      if (error._tag !== "InvalidJobConfig") return
      const paths = error.issues.map(({ path }) => path.join("."))
      expect(new Set(paths)).toEqual(
        new Set(["repoPath", "tasksDir", "targetBranch", "concurrency", "dryRun", "labels.team", "dryrun"])
      )
      expect(yield* store.list()).toEqual([])
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("fails if the orchestrator's check fails, before it takes a permit", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const error = yield* Effect.flip(manager.start(config))
      expect(error.message).toBe("invalid job configuration: repoPath: is no repository")
      expect(yield* store.list()).toEqual([])
    }).pipe(
      Effect.provide(
        TestManager.layer({
          check: () => new errors.InvalidJobConfig({ issues: [{ path: ["repoPath"], message: "is no repository" }] })
        })
      )
    )
  )

  it.effect("gives two concurrent starts with the same key one job and one conflict", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const [a, b] = yield* Effect.all([Effect.either(manager.start(config)), Effect.either(manager.start(config))], {
        concurrency: "unbounded"
      })
      const [id] = yield* manager.list
      expect([a, b].map((start) => start._tag).sort()).toEqual(["Left", "Right"])
      const error = yield* Effect.flip(manager.start(config))
      expect(error).toMatchObject({ _tag: "JobConflict", jobId: id, message: `job ${id} already works on main` })
      yield* manager.stopAll
      yield* manager.start(config)
    }).pipe(Effect.provide(TestManager.layer({ check: ({ targetBranch }) => Effect.succeed({ key: targetBranch }) })))
  )

  it.effect("names in a conflict what the check says that the key stands for", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      const error = yield* Effect.flip(manager.start({ ...config, repoPath: "/another/path" }))
      expect(error).toMatchObject({
        _tag: "JobConflict",
        key: "1:2",
        message: `job ${id} already works on main of /another/path`
      })
      yield* manager.stopAll
    }).pipe(
      Effect.provide(
        TestManager.layer({
          check: ({ repoPath, targetBranch }) =>
            Effect.succeed({ key: "1:2", keyName: `${targetBranch} of ${repoPath}` })
        })
      )
    )
  )

  it.effect("gives a job without a title the one that the check returns, as its label", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const labelsOf = (labels: { readonly [name: string]: string }) =>
        Effect.gen(function* () {
          const id = yield* manager.start({ ...config, labels })
          return Option.getOrThrow(yield* store.get(id)).labels
        })
      expect(yield* labelsOf({ team: "web" })).toEqual({ team: "web", title: "Retries" })
      expect(yield* labelsOf({ title: "My own" })).toEqual({ title: "My own" })
      yield* manager.stopAll
    }).pipe(Effect.provide(TestManager.layer({ check: () => Effect.succeed({ title: "Retries" }) })))
  )

  it.effect("does not wait for the orchestrator", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      expect(yield* manager.list).toEqual([id])
    }).pipe(
      Effect.provide(
        TestManager.layer({ script: () => [Step.ignoreInterruption("1 second"), Step.succeed(null)], stopGrace: 0 })
      )
    )
  )

  it.effect("runs jobs that inherit nothing from the caller: not even that it cannot be interrupted", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* Effect.uninterruptible(manager.start(config))
      expect((yield* manager.stop(id)).status).toBe("cancelled")
    }).pipe(Effect.provide(TestManager.layer()))
  )

  it.effect("refuses once the manager is closing", () =>
    Effect.gen(function* () {
      const built = yield* Deferred.make<JobManager.JobManager["Type"]>()
      const answer = yield* Deferred.make<string>()
      const OnClose = Orchestrator.layer(() =>
        Effect.acquireRelease(Effect.void, () =>
          Effect.gen(function* () {
            const manager = yield* Deferred.await(built)
            const error = yield* Effect.flip(manager.start(config))
            yield* Deferred.succeed(answer, error._tag)
          }).pipe(Effect.orDie)
        ).pipe(Effect.zipRight(Effect.never))
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        yield* Deferred.succeed(built, manager)
        yield* manager.start(config)
        yield* Effect.yieldNow()
      }).pipe(Effect.provide(JobManager.layer().pipe(Layer.provide([OnClose, RunStore.layerMemory]))))
      expect(yield* Deferred.await(answer)).toBe("ShuttingDown")
    })
  )
})

describe("make", () => {
  it.scoped("manages jobs of another type", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.make({
        kind: "configs",
        config: JobConfig.JobConfig,
        orchestrator: { run: (job) => Effect.succeed(job.config.targetBranch) },
        labels: ({ targetBranch }) => ({ branch: targetBranch })
      })
      const store = yield* RunStore.RunStore
      const run = yield* manager.await(yield* manager.start(config))
      expect(run).toMatchObject({ kind: "configs", result: "main", labels: { branch: "main" } })
      expect(yield* store.list({ kind: "configs", labels: { branch: "main" } })).toHaveLength(1)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})

describe("the scripted orchestrator", () => {
  it.effect("reports when an attempt has started", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* manager.start(config)
      yield* began(id)
    }).pipe(Effect.provide(TestManager.layer()))
  )
})
