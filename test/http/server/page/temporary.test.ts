/** The page of a server of one's own, whose sessions end with it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as requests from "../../requests.js"
import { idle, over } from "../../world.js"

const decodeCode = Schema.decodeUnknown(Schema.Struct({ code: Schema.String, origin: Schema.String }))
const decodeSession = Schema.decodeUnknown(Schema.Struct({ token: Schema.String }))

describe("Server.layer with a page", () => {
  it.scopedLive("begins sessions with its codes, on the port that it listens on", () =>
    Effect.gen(function* () {
      const { port, send } = yield* over(idle, { page: true })
      const issued = yield* send({ method: "POST", path: "/api/v1/session/code" })
      const { code, origin } = yield* decodeCode(issued.json)
      expect(origin).toBe(`http://127.0.0.1:${port}`)
      const begun = yield* requests.send(
        { port },
        {
          method: "POST",
          path: "/api/v1/session",
          headers: { origin, host: `127.0.0.1:${port}`, "content-type": "application/json" },
          body: JSON.stringify({ code })
        }
      )
      const { token } = yield* decodeSession(begun.json)
      const headers = { authorization: `Bearer ${token}`, host: `127.0.0.1:${port}` }
      expect(yield* requests.send({ port }, { path: "/api/v1/jobs", headers })).toMatchObject({
        status: 200,
        json: { jobs: [] }
      })
    })
  )

  it.scopedLive("has no sessions without one", () =>
    Effect.gen(function* () {
      const { send } = yield* over(idle)
      expect((yield* send({ method: "POST", path: "/api/v1/session/code" })).status).toBe(404)
    })
  )
})
