/** What a person does on the page of an application is recorded under the name of the session, whatever the request claims. */
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Context, Effect, Layer, Option, Stream } from "effect"
import { databaseFile } from "../../../manager/lives.js"
import { acting, Errand, errandOf, make, makeOver } from "../../mounted.js"

const options = { stopGrace: 200, maxJobs: 4 }

const inOneProcess = Effect.map(make({ maxJobs: options.maxJobs }), ({ as, services }) => ({
  as,
  store: Context.get(services, RunStore.RunStore),
  script: Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator),
  errands: Context.get(services, Errand.Producer)
}))

const inTwoProcesses = Effect.gen(function* () {
  const filename = yield* databaseFile
  const stored = () => Layer.fresh(RunStore.layer.pipe(Layer.provide(Database.layer({ filename }))))
  const worker = yield* Layer.build(ScriptedOrchestrator.layerOf(Errand, options).pipe(Layer.provide(stored())))
  const { as, services } = yield* makeOver(Layer.provideMerge(Errand.producer, stored()))
  return {
    as,
    store: Context.get(services, RunStore.RunStore),
    script: Context.get(worker, ScriptedOrchestrator.ScriptedOrchestrator),
    errands: Context.get(services, Errand.Producer)
  }
})

const acts = <E, R>(world: Effect.Effect<Effect.Effect.Success<typeof inOneProcess>, E, R>) =>
  Effect.gen(function* () {
    const { as, errands, script, store } = yield* world
    const act = (path: string, body: object = {}) =>
      Effect.gen(function* () {
        const sent = { method: "POST", path: `/jobs/api/v1/jobs${path}`, headers: acting, body: JSON.stringify(body) }
        const { json, status } = yield* as("ada", sent)
        expect([path, status]).toEqual([path, expect.toSatisfy((status: number) => status < 300)])
        return json
      })
    const start = errands.start(errandOf("acme"))
    const begun = Effect.tap(start, script.began)
    const failed = Effect.tap(start, (id) =>
      Effect.zipRight(script.send(id, Step.fail({ message: "no" })), errands.await(id))
    )
    /** The payload of the first event of that type, once there is one. */
    const payloadOf = (id: JobId.JobId, type: string) =>
      errands.events(id).pipe(
        Stream.filter((event) => event.type === type),
        Stream.runHead,
        Effect.map((event) => Option.getOrThrow(event).payload)
      )
    const park = (id: JobId.JobId) =>
      Effect.zipRight(script.send(id, Step.park({ reason: "waits", signal: "go" })), payloadOf(id, "job.parked"))
    return { act, begun, failed, park, payloadOf, script, start, store }
  })

describe.each([
  ["in the process of its manager", inOneProcess],
  ["in a process with producers only", inTwoProcesses]
] as const)("the page of an application, %s, records the name of the session", (_, world) => {
  it.scopedLive("of who stops a job", () =>
    Effect.gen(function* () {
      const { act, begun, payloadOf } = yield* acts(world)
      const id = yield* begun
      yield* act(`/${id}/stop?by=bea`)
      expect(yield* payloadOf(id, "job.stopping")).toEqual({ by: "ada", via: "page" })
    })
  )

  it.scopedLive("of who cancels one that has not begun", () =>
    Effect.gen(function* () {
      const { act, begun, payloadOf, start } = yield* acts(world)
      yield* Effect.replicateEffect(begun, options.maxJobs)
      const id = yield* start
      yield* act(`/${id}/stop?by=bea`)
      expect(yield* payloadOf(id, "job.cancelled")).toEqual({ by: "ada", via: "page" })
    })
  )

  it.scopedLive("of who sends a signal", () =>
    Effect.gen(function* () {
      const { act, begun, payloadOf } = yield* acts(world)
      const id = yield* begun
      yield* act(`/${id}/signals/go`, { by: "bea", payload: { by: "bea" } })
      expect(yield* payloadOf(id, "job.signalled")).toEqual({
        name: "go",
        payload: { by: "bea" },
        by: "ada",
        via: "page"
      })
    })
  )

  it.scopedLive("of who resumes one that has parked", () =>
    Effect.gen(function* () {
      const { act, begun, park, payloadOf } = yield* acts(world)
      const id = yield* begun
      yield* park(id)
      yield* act(`/${id}/resume?by=bea`)
      expect(yield* payloadOf(id, "job.resumed")).toEqual({ attempt: 2, by: "resume", sender: "ada", via: "page" })
    })
  )

  it.scopedLive("of who retries one job, or many", () =>
    Effect.gen(function* () {
      const { act, failed, payloadOf, store } = yield* acts(world)
      const [one, other] = yield* Effect.all([failed, failed])
      yield* act(`/${one}/retry?by=bea`)
      yield* act("/retry", { kind: "tasks", status: "failed", by: "bea" })
      const retries = (yield* store.list()).filter(({ retryOf }) => retryOf !== undefined)
      expect(retries.map(({ retryOf }) => retryOf).sort()).toEqual([one, other].sort())
      for (const { id, retryOf } of retries) {
        expect(yield* payloadOf(id, "job.queued")).toMatchObject({ retryOf, by: "ada", via: "page" })
      }
    })
  )
})

describe("the page of an application in the process of its manager", () => {
  it.scopedLive("records the name of the session of who resumes a job with other limits", () =>
    Effect.gen(function* () {
      const { act, begun, payloadOf, script } = yield* acts(inOneProcess)
      const id = yield* begun
      yield* script.send(id, Step.park({ reason: "it has spent enough", signal: "go" }))
      yield* payloadOf(id, "job.parked")
      yield* act(`/${id}/resume?usd=5&by=bea`)
      expect(yield* payloadOf(id, "job.signalled")).toMatchObject({ payload: { usd: 5 }, by: "ada", via: "page" })
    })
  )
})
