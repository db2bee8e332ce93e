import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, Either, Layer, Logger, LogLevel, Option } from "effect"
import { spawn } from "node:child_process"
import { KernelRef, type ProcessIdentity, startTime } from "../../src/internal/ProcessIdentity.js"
import { databaseFile, seen, startJob, withStore } from "./lives.js"

/** A manager on that file which asks the real kernel about the one before it. */
const manager = (filename: string, options: JobManager.LayerOptions = {}) =>
  JobManager.layer(options).pipe(
    Layer.provideMerge(
      Layer.merge(RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))), ScriptedOrchestrator.layer())
    )
  )

/** What a manager of the jobs in that file fails with. */
const attempt = (filename: string, options?: JobManager.LayerOptions) =>
  Effect.either(Effect.scoped(Layer.build(manager(filename, options))))

const self = Effect.map(KernelRef, ({ self }) => self)

/** Says in the file that this process manages the jobs. */
const owned = (filename: string, process: ProcessIdentity) =>
  Effect.flatMap(RunStore.RunStore, ({ owners }) =>
    owners.claim({ kind: "tasks", id: "the other", process }, Option.none())
  ).pipe(withStore(filename))

const otherProcess = Effect.acquireRelease(
  Effect.async<ReturnType<typeof spawn>>((resume) => {
    const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
    child.once("spawn", () => resume(Effect.succeed(child)))
  }),
  (child) => kill(child)
)

const kill = (child: ReturnType<typeof spawn>) =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

describe("the jobs of a kind", () => {
  it.scopedLive("have one manager, which the refusal of a second one names", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* Effect.gen(function* () {
        const second = yield* Effect.flip(Effect.flatten(attempt(file)))
        expect(second).toMatchObject({ _tag: "AlreadyManaged", kind: "tasks", pid: process.pid })
        expect(second.message).toBe(
          'jobs of kind "tasks" are already managed in this process; build the layer of their manager once, and share it'
        )
        // It has taken nothing from the first.
        const id = yield* startJob
        expect((yield* JobManager.JobManager.pipe(Effect.flatMap(({ stop }) => stop(id)))).status).toBe("cancelled")
      }).pipe(Effect.provide(manager(file)))
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scopedLive("go to one of those who ask at the same time", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* Effect.void.pipe(withStore(file))
      const answers = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => Effect.either(Layer.build(manager(file))),
        { concurrency: "unbounded" }
      )
      expect(answers.filter(Either.isRight)).toHaveLength(1)
      for (const answer of answers.filter(Either.isLeft)) expect(answer.left._tag).toBe("AlreadyManaged")
    })
  )

  it.scopedLive("belong to a process as long as it lives, and not a moment longer", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const child = yield* otherProcess
      const pid = child.pid ?? 0
      yield* owned(file, { ...(yield* self), pid, startTime: startTime(pid) })
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged", pid })
      yield* kill(child)
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scopedLive("have no owner when the pid is that of a younger process", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* owned(file, { ...(yield* self), startTime: "1" })
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scopedLive("have no owner after the machine was restarted", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* owned(file, { ...(yield* self), bootId: "another boot" })
      expect(Either.isRight(yield* attempt(file))).toBe(true)
    })
  )

  it.scopedLive("belong to an owner in another pid namespace, whose process cannot be checked", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* owned(file, { ...(yield* self), pid: 1, startTime: "1", pidNamespace: "pid:[1]" })
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged", pid: 1 })
    })
  )

  it.scopedLive("leave those of another kind in the same database alone", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const Other = manager(file, { kind: "other" })
      const id = yield* startJob.pipe(Effect.provide(Other))

      yield* Effect.gen(function* () {
        const { await: ended, list, stop } = yield* JobManager.JobManager
        const store = yield* RunStore.RunStore
        expect(yield* list).toEqual([])
        expect(yield* Effect.flip(ended(id))).toMatchObject({ _tag: "JobNotFound" })
        expect(yield* Effect.flip(stop(id))).toMatchObject({ _tag: "JobNotFound" })
        expect(yield* Effect.flatten(store.get(id))).toMatchObject({ kind: "other", status: "interrupted", attempt: 1 })

        // Both work at the same time.
        yield* Effect.gen(function* () {
          const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
          yield* began(id, 2)
        }).pipe(Effect.provide(Other))
      }).pipe(Effect.provide(manager(file)))
    })
  )

  it.scopedLive("stay with a manager that was closed while one of its jobs would not end", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      yield* Effect.gen(function* () {
        const id = yield* startJob
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        yield* send(id, Step.emit({ type: "stubborn" }), Step.ignoreInterruption("2 seconds"))
        yield* seen(id, "stubborn")
      }).pipe(Effect.provide(manager(file, { stopGrace: 0 })), Logger.withMinimumLogLevel(LogLevel.None))
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged" })
    })
  )

  it.scopedLive("are free when the last job of a manager that was closed has ended", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const latch = yield* Effect.makeLatch()
      yield* Effect.gen(function* () {
        const id = yield* startJob
        const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
        yield* send(id, Step.emit({ type: "stubborn" }), () => Effect.uninterruptible(latch.await))
        yield* seen(id, "stubborn")
      }).pipe(Effect.provide(manager(file, { stopGrace: 0 })), Logger.withMinimumLogLevel(LogLevel.None))
      expect(yield* Effect.flip(Effect.flatten(attempt(file)))).toMatchObject({ _tag: "AlreadyManaged" })
      yield* latch.open
      const next = yield* Effect.repeat(Effect.zipLeft(attempt(file), Effect.sleep("10 millis")), {
        until: Either.isRight,
        times: 500
      })
      expect(Either.isRight(next)).toBe(true)
    })
  )
})
