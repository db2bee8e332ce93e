import { describe, expect, it } from "@effect/vitest"
import { Database, errors, JobManager, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Effect, Layer } from "effect"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as World from "../world.js"

const key = "the-same"

describe("idempotency key", () => {
  it.scopedLive("returns the same job in any status and starts no other", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world.bySocket
      const id = yield* client.start(config, { idempotencyKey: key })
      expect(yield* client.start(config, { idempotencyKey: key })).toBe(id)
      yield* client.stop(id)
      // With the defaults written out, and in another order: it is the same submission.
      const again = {
        targetBranch: "main",
        concurrency: 4,
        dryRun: false,
        land: true,
        tasksDir: config.tasksDir,
        repoPath: config.repoPath
      }
      expect(yield* client.start(again, { idempotencyKey: key })).toBe(id)
      const other = yield* client.start(config, { idempotencyKey: "another" })
      expect(other).not.toBe(id)
      const { jobs } = yield* client.list()
      expect(jobs.map(({ id }) => id)).toEqual([other, id])
    })
  )

  it.scopedLive("starts one job for 100 concurrent requests, by socket and port", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 2 })
      const ids = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? world.bySocket : world.byPort)),
        (client) => client.start(config, { idempotencyKey: key }),
        { concurrency: "unbounded" }
      )
      expect(new Set(ids).size).toBe(1)
      expect((yield* world.bySocket.list()).jobs.length).toBe(1)
    })
  )

  it.scopedLive("is taken over by the next request when the first client disconnects", () =>
    Effect.gen(function* () {
      const store = Layer.effect(
        RunStore.RunStore,
        Effect.map(RunStore.RunStore, (store) => ({
          ...store,
          list: (query?: RunStore.RunQuery) => Effect.delay(store.list(query), 20)
        }))
      ).pipe(Layer.provide(RunStore.layerMemory))
      const manager = JobManager.layer().pipe(Layer.provideMerge(Layer.merge(store, ScriptedOrchestrator.layer())))
      const world = yield* World.over(manager)
      const impatient = world.bySocket.start(config, { idempotencyKey: key }).pipe(Effect.timeoutOption(10))
      yield* Effect.replicateEffect(impatient, 5, { concurrency: "unbounded" })
      const id = yield* world.bySocket.start(config, { idempotencyKey: key })
      expect((yield* world.bySocket.list()).jobs.map(({ id }) => id)).toEqual([id])
    })
  )

  it.scopedLive("returns the job that the request has attached to, also when that is over", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world.bySocket
      const attach = { key: "nightly", whenKeyTaken: "attach", idempotencyKey: key } as const
      const id = yield* client.start(config, { key: "nightly" })
      expect(yield* client.start(config, attach)).toBe(id)
      yield* client.stop(id)
      const answer = yield* world.send({
        method: "POST",
        path: "/api/v1/jobs?key=nightly&whenKeyTaken=attach",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(config)
      })
      expect(answer).toMatchObject({ json: { id } })
      expect((yield* client.list()).jobs.map(({ id }) => id)).toEqual([id])
    })
  )

  it.scopedLive("is refused with another body", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.bySocket.start({ ...config, labels: { a: "b" } }, { idempotencyKey: key })
      for (const other of [
        config,
        { ...config, labels: { a: "c" } },
        { ...config, labels: { a: "b" }, concurrency: 5 }
      ]) {
        const error = yield* Effect.flip(world.bySocket.start(other, { idempotencyKey: key }))
        expect(error).toEqual(new Http.errors.IdempotencyKeyReused({ key, jobId: id }))
      }
      const answer = yield* world.send({
        method: "POST",
        path: "/api/v1/jobs",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(config)
      })
      expect(answer).toMatchObject({ status: 422, json: { _tag: "IdempotencyKeyReused", jobId: id } })
    })
  )

  it.scopedLive("is not visible in a run of version 0.1.0, which kept it as a label", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const labels = { team: "a", "charlotte.idempotency-key": "old" }
      const id = yield* world.bySocket.start({ ...config, labels })
      const shown = yield* world.bySocket.get(id)
      expect(shown.labels).toEqual({ team: "a" })
      expect(shown.config).toMatchObject({ labels: { team: "a" } })
    })
  )

  it.scopedLive("can be reused after the job was refused", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 1 })
      const first = yield* world.bySocket.start(config)
      expect(yield* Effect.flip(world.bySocket.start(config, { idempotencyKey: key }))).toBeInstanceOf(
        errors.MaxJobsReached
      )
      yield* world.bySocket.stop(first)
      const broken = { ...config, repoPath: "relative" }
      expect(yield* Effect.flip(world.bySocket.start(broken, { idempotencyKey: key }))).toBeInstanceOf(
        errors.InvalidJobConfig
      )
      yield* world.bySocket.start(config, { idempotencyKey: key })
    })
  )

  it.scopedLive("survives a restart with a database", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const socket = `${directory}/socket`
      const manager = JobManager.layer().pipe(
        Layer.provideMerge(
          Layer.merge(
            RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${directory}/jobs.db` }))),
            ScriptedOrchestrator.layer()
          )
        )
      )
      const client = yield* Http.JobClient.make({ socket })
      const life = Effect.scoped(
        Effect.zipRight(
          Layer.build(Http.Server.layer({ listen: { socket } }).pipe(Layer.provide(manager))),
          client.start(config, { idempotencyKey: key })
        )
      )
      const id = yield* life
      expect(yield* life).toBe(id)
    })
  )

  it.scopedLive("is refused with characters that a header cannot hold", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const bad of ["", "two words", "x".repeat(201), "ü"]) {
        const error = yield* Effect.flip(world.bySocket.start(config, { idempotencyKey: bad }))
        expect(error).toBeInstanceOf(Http.errors.InvalidRequest)
      }
      const answer = yield* world.send({
        method: "POST",
        path: "/api/v1/jobs",
        headers: { "content-type": "application/json", "idempotency-key": "two words" },
        body: JSON.stringify(config)
      })
      expect(answer).toMatchObject({
        status: 400,
        json: { _tag: "HttpApiDecodeError", issues: [{ path: ["idempotency-key"] }] }
      })
    })
  )
})
