/** The page of a process that has only producers, over the jobs of a manager in another one. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Context, Effect, Layer, Option, Stream } from "effect"
import { databaseFile } from "../../../manager/lives.js"
import * as eventSource from "../../eventSource.js"
import { acting, Errand, errandOf, makeOver } from "../../mounted.js"
import * as requests from "../../requests.js"

const stored = (filename: string) => Layer.fresh(RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))))

/** Each with a connection of its own. */
const world = Effect.gen(function* () {
  const filename = yield* databaseFile
  const worker = yield* Layer.build(
    ScriptedOrchestrator.layerOf(Errand, { stopGrace: 200 }).pipe(Layer.provide(stored(filename)))
  )
  const web = yield* makeOver(Layer.provideMerge(Errand.producer, stored(filename)))
  const errands = Context.get(web.services, Errand.Producer)
  const act = (path: string, body?: unknown) =>
    web.as("ada", {
      method: "POST",
      path: `/jobs/api/v1/jobs${path}`,
      headers: acting,
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
  return {
    ...web,
    act,
    errands,
    manager: Context.get(worker, Errand),
    script: Context.get(worker, ScriptedOrchestrator.ScriptedOrchestrator),
    start: errands.start(errandOf("acme"))
  }
})

describe("the page of a process without a manager", () => {
  it.scopedLive("shows jobs of another process, and their events as they come", () =>
    Effect.gen(function* () {
      const { as, script, start, where } = yield* world
      const response = yield* requests.open(where, {
        path: "/jobs/api/v1/events?after=0",
        headers: { cookie: "session=ada" }
      })
      const id = yield* start
      yield* script.began(id)
      yield* script.send(id, Step.emit({ type: "half.done" }))
      yield* eventSource.frames(response).pipe(
        Stream.filterMap(({ data }) => Option.fromNullable(data)),
        Stream.takeUntil((data) => data.includes("half.done")),
        Stream.runDrain
      )
      expect(yield* as("ada", { path: "/jobs/api/v1/jobs" })).toMatchObject({
        json: { jobs: [{ id, status: "running" }] }
      })
      expect(yield* as("ada", { path: `/jobs/api/v1/jobs/${id}` })).toMatchObject({ json: { status: "running" } })
    })
  )

  it.scopedLive("stops them and sends them signals", () =>
    Effect.gen(function* () {
      const { act, as, script, start } = yield* world
      const id = yield* start
      yield* script.began(id)
      expect(yield* act(`/${id}/signals/go`, { by: "bea" })).toMatchObject({ status: 204 })
      expect(yield* act(`/${id}/stop`)).toMatchObject({
        status: 200,
        json: { jobId: id, status: "cancelled", mode: "graceful" }
      })
      expect(yield* act(`/${id}/stop`)).toMatchObject({ json: { mode: "alreadyEnded" } })
      expect((yield* as("ada", { path: `/jobs/api/v1/jobs/${id}/export` })).text).toContain('"by":"ada"')
    })
  )

  it.scopedLive("retries them one by one and all that match, each once", () =>
    Effect.gen(function* () {
      const { act, as, errands, script, start } = yield* world
      const failed: Array<JobId.JobId> = []
      for (const _ of [1, 2, 3]) {
        const id = yield* start
        yield* script.send(id, Step.fail({ message: "no" }))
        yield* errands.await(id)
        failed.push(id)
      }
      const [first = "", second] = failed
      const once = yield* act(`/${first}/retry`)
      expect(once.status).toBe(201)
      expect((yield* act(`/${first}/retry`)).json).toEqual(once.json)
      expect(yield* act("/retry", { kind: "tasks", status: "failed" })).toMatchObject({
        json: { retried: 2, refused: 0 }
      })
      expect(yield* act("/retry", { kind: "tasks", status: "failed" })).toMatchObject({ json: { retried: 0 } })
      const shown = yield* as("ada", { path: `/jobs/api/v1/jobs/${second}` })
      expect(shown).toMatchObject({ json: { status: "failed", retriedAs: expect.any(String) } })
    })
  )
})
