/** Charlotte's jobs in the API of an application, beside routes of its own, over its own manager. */
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Exit, Fiber, Schema, Scope, Stream } from "effect"
import { config, unknownId } from "../../support/jobs.js"
import { make } from "../application.js"
import * as eventSource from "../eventSource.js"

const submission = {
  method: "POST",
  path: "/api/v1/jobs",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(config)
}

const Submitted = Schema.parseJson(Schema.Struct({ id: Schema.String }))

describe("JobsApi in an application's API", () => {
  it.scopedLive("starts, follows and stops jobs beside the application's routes", () =>
    Effect.gen(function* () {
      const { script, send, where } = yield* make()
      expect(yield* send({ path: "/hello" })).toMatchObject({ status: 200, json: "hi" })
      const { id } = yield* Effect.flatMap(send(submission), ({ text }) => Schema.decode(Submitted)(text))
      const { frames } = yield* eventSource.open(where, `/jobs/${id}/events`)
      const following = yield* Effect.fork(Stream.runCollect(eventSource.events(frames)))
      expect(yield* send({ ...submission, path: `/api/v1/jobs/${id}/stop`, body: "" })).toMatchObject({
        status: 200,
        json: { status: "cancelled" }
      })
      expect(Chunk.size(yield* Fiber.join(following))).toBe(3)
      expect(script).toBeDefined()
    })
  )

  it.scopedLive("a stop with an empty path segment stops nothing, even if the router ignores such segments", () =>
    Effect.gen(function* () {
      const { send } = yield* make()
      const { id } = yield* Effect.flatMap(send(submission), ({ text }) => Schema.decode(Submitted)(text))
      const stop = yield* send({ ...submission, path: "/api/v1/jobs//stop", body: "" })
      expect([400, 404]).toContain(stop.status)
      expect(yield* send({ path: `/api/v1/jobs/${id}` })).toMatchObject({ json: { status: "running" } })
    })
  )

  it.scopedLive("maps errors to the same status codes", () =>
    Effect.gen(function* () {
      const { send } = yield* make()
      expect(yield* send({ ...submission, body: "{}" })).toMatchObject({
        status: 422,
        json: { _tag: "InvalidJobConfig" }
      })
      expect((yield* send(submission)).status).toBe(201)
      // At capacity a configuration is not even decoded.
      expect(yield* send({ ...submission, body: "{}" })).toMatchObject({ status: 429 })
      const full = yield* send(submission)
      expect(full).toMatchObject({ status: 429, json: { _tag: "MaxJobsReached", message: "max jobs (1) reached" } })
      expect(full.headers["retry-after"]).toBeDefined()
      expect(yield* send({ path: `/api/v1/jobs/${unknownId}` })).toMatchObject({ status: 404 })
      expect(yield* send({ ...submission, body: "{" })).toMatchObject({ status: 400, json: { _tag: "RequestRefused" } })
      expect(yield* send({ path: "/api/v1/events?after=-1" })).toMatchObject({ status: 400 })
    })
  )

  it.scopedLive("an open event stream does not block shutdown", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { where } = yield* Scope.extend(make(), scope)
      const { frames } = yield* eventSource.open(where, "/events")
      const following = yield* Effect.fork(Stream.runCollect(frames))
      yield* Scope.close(scope, Exit.void)
      expect(Chunk.toReadonlyArray(yield* Fiber.join(following)).at(-1)?.event).toBe("shutdown")
    })
  )
})
