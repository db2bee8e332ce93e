/** A manager that begins, or continues what was left, while its database fails. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { errors, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Context, Effect, Either, Exit, Layer, Scope } from "effect"
import { RealClock } from "../../src/internal/RealClock.js"
import * as FailingSql from "../support/FailingSql.js"
import * as HurriedClock from "../support/hurriedClock.js"
import { config } from "../support/jobs.js"

type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

/** The database outlives the managers on it. */
const database = FailingSql.layer({ filename: ":memory:" }).pipe(Layer.provideMerge(HurriedClock.layer))

/** A manager that lives until it is closed. */
const open = (options: JobManager.LayerOptions = {}, script: ScriptedOrchestrator.Options = {}) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const layer = JobManager.layer({ maxJobs: 2, ...options }).pipe(
      Layer.provideMerge(Layer.merge(RunStore.layer, ScriptedOrchestrator.layer(script)))
    )
    const services: Context.Context<Services> = yield* Layer.buildWithScope(Layer.fresh(layer), scope).pipe(
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return {
      close: Scope.close(scope, Exit.void),
      manager: Context.get(services, JobManager.JobManager),
      orchestrator: Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator),
      store: Context.get(services, RunStore.RunStore)
    }
  })

/** A job that a manager has left behind when it was closed. */
const interrupted = Effect.gen(function* () {
  const { close, manager, orchestrator } = yield* open()
  const id = yield* manager.start(config)
  yield* orchestrator.began(id)
  yield* close
  return id
})

/** The same, but the manager crashed: its run is still recorded as running. */
const crashed = Effect.gen(function* () {
  const id = yield* interrupted
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE charlotte_runs SET status = 'running', attempt = 2, waits_for = NULL WHERE id = ${id}`
  return id
})

/** Does something while statement k fails; gives the outcome, and whether there was such a statement. */
const failing = <A, E, R>(k: number, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { clear, failures, set } = yield* FailingSql.FailingSql
    yield* set({ from: k })
    const outcome = yield* Effect.either(effect)
    const failed = (yield* failures) > 0
    yield* clear
    return { failed, outcome }
  })

/** For k = 1, 2, 3 … until no statement fails any more. */
const atEveryStatement = <E, R>(use: (k: number) => Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    let k = 1
    while (yield* use(k)) k += 1
    expect(k).toBeGreaterThan(5)
  })

const full = { _tag: "StoreError", reason: "full" }

describe("a manager that starts", () => {
  for (const [what, left, attempt] of [
    ["what was interrupted", interrupted, 2],
    ["what a crash has left", crashed, 3]
  ] as const) {
    it.effect(`continues ${what}, or fails and leaves it to the next, when one statement fails`, () =>
      atEveryStatement((k) =>
        Effect.gen(function* () {
          const id = yield* left
          const began = Effect.tap(open(), ({ orchestrator }) => orchestrator.began(id, attempt))
          const { failed, outcome } = yield* failing(k, began)
          if (Either.isLeft(outcome)) expect(outcome.left).toMatchObject(full)
          const { close, manager, store } = Either.isRight(outcome) ? outcome.right : yield* began
          expect(yield* manager.list).toEqual([id])
          expect(yield* Effect.flatten(store.get(id))).toMatchObject({ status: "running", attempt })
          yield* manager.stop(id)
          yield* close
          return failed
        })
      ).pipe(Effect.provide(database))
    )
  }
})

describe("a crash", () => {
  it.effect("is left to the next manager if the store cannot list orphaned processes", () =>
    Effect.gen(function* () {
      const id = yield* crashed
      const failure = new errors.StoreError({ operation: "read processes", reason: "full", cause: new Error("full") })
      const refused = yield* Effect.either(open({}, { recover: () => failure }))
      expect(refused).toMatchObject({ left: full })
      let cleared = 0
      const { close, manager, orchestrator } = yield* open({}, { recover: () => Effect.sync(() => void cleared++) })
      yield* orchestrator.began(id, 3)
      expect(cleared).toBe(1)
      yield* manager.stop(id)
      yield* close
    }).pipe(Effect.provide(database))
  )
})

describe("a manager that closes", () => {
  it.effect("loses no job when one statement fails", () =>
    atEveryStatement((k) =>
      Effect.gen(function* () {
        const { close, manager, orchestrator } = yield* open()
        const id = yield* manager.start(config)
        yield* orchestrator.send(id, Step.emit({ type: "a" }))
        const { failed } = yield* failing(k, close)
        const next = yield* open()
        yield* next.orchestrator.began(id, 2)
        expect(yield* next.manager.stop(id)).toMatchObject({ status: "cancelled" })
        yield* next.close
        return failed
      })
    ).pipe(Effect.provide(database))
  )

  it.effect("closes within its deadline if writes fail, and the next one takes over", () =>
    Effect.gen(function* () {
      const { clear, set } = yield* FailingSql.FailingSql
      const { now } = yield* RealClock
      const { close, manager, orchestrator } = yield* open({ stopGrace: "5 seconds" })
      const id = yield* manager.start(config)
      yield* orchestrator.began(id)
      yield* set({ from: 1, to: Infinity })
      const begun = yield* now
      yield* close
      expect((yield* now) - begun).toBeLessThan(10_000)
      yield* clear
      const next = yield* open()
      yield* next.orchestrator.began(id, 2)
      yield* next.manager.stop(id)
      yield* next.close
    }).pipe(Effect.provide(database))
  )
})

describe("resume", () => {
  it.effect("continues the run, or leaves it interrupted, when one statement fails", () =>
    atEveryStatement((k) =>
      Effect.gen(function* () {
        const id = yield* interrupted
        const { close, manager, store } = yield* open({ recovery: "manual" })
        const { failed, outcome } = yield* failing(k, manager.resume(id))
        if (Either.isLeft(outcome)) {
          expect(outcome.left).toMatchObject(full)
          expect(yield* Effect.flatten(store.get(id))).toMatchObject({ status: "interrupted", attempt: 1 })
          expect(yield* manager.list).toEqual([])
          yield* manager.resume(id)
        }
        expect(yield* Effect.flatten(store.get(id))).toMatchObject({ status: "running", attempt: 2 })
        // One permit is taken, and the other one is free.
        yield* manager.start(config)
        expect((yield* Effect.flip(manager.start(config)))._tag).toBe("MaxJobsReached")
        yield* manager.stopAll
        yield* close
        return failed
      })
    ).pipe(Effect.provide(database))
  )
})

describe("an interrupted run", () => {
  it.effect("is resumed when the database can be written again", () =>
    Effect.gen(function* () {
      const { clear, hit, set } = yield* FailingSql.FailingSql
      const { sleep } = yield* RealClock
      const id = yield* interrupted
      yield* set({ from: 1, to: Infinity, matching: /^UPDATE charlotte_runs/ })
      const { close, manager, orchestrator } = yield* open()
      yield* hit
      yield* sleep(10_000)
      expect(yield* manager.list).toEqual([])
      yield* clear
      yield* orchestrator.began(id, 2)
      yield* manager.stop(id)
      yield* close
    }).pipe(Effect.provide(database))
  )
})
