import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as page from "../../page.js"
import * as requests from "../../requests.js"
import * as World from "../../world.js"

describe("one-time code", () => {
  it.scoped("begins a session whose token is accepted like that of the home", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const code = yield* world.code
      expect(Buffer.from(code.code, "base64url").length).toBe(16)
      expect(code).toMatchObject({ expiresAt: "1970-01-01T00:01:00.000Z" })
      const begun = yield* world.exchange(code)
      expect(begun).toMatchObject({ status: 201, json: { expiresAt: "1970-01-01T12:00:00.000Z" } })
      const session = yield* world.session
      expect((yield* world.as(session, { path: "/api/v1/jobs" })).status).toBe(200)
      expect((yield* world.as({ ...session, token: `${session.token}x` }, { path: "/api/v1/jobs" })).status).toBe(401)
      const ofHome = { origin: session.origin, token: World.authorization.replace("Bearer ", "") }
      expect((yield* world.as(ofHome, { path: "/api/v1/jobs" })).status).toBe(200)
    })
  )

  it.scoped("cannot be used twice", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const code = yield* world.code
      expect((yield* world.exchange(code)).status).toBe(201)
      expect(yield* world.exchange(code)).toMatchObject({ status: 403, json: { _tag: "InvalidCode" } })
    })
  )

  it.scoped("cannot be used after 60 seconds", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const [early, late] = [yield* world.code, yield* world.code]
      yield* TestClock.adjust("59999 millis")
      expect((yield* world.exchange(early)).status).toBe(201)
      yield* TestClock.adjust("1 millis")
      expect(yield* world.exchange(late)).toMatchObject({ status: 403, json: { _tag: "InvalidCode" } })
    })
  )

  it.scoped("is refused after five wrong ones within a minute, and accepted after that minute", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const code = yield* world.code
      for (let tries = 0; tries < 5; tries += 1) {
        expect((yield* world.exchange({ ...code, code: `wrong-${tries}` })).status).toBe(403)
      }
      const refused = yield* world.exchange(code)
      expect(refused).toMatchObject({
        status: 429,
        json: { _tag: "TooManyTries" },
        headers: { "retry-after": "60" }
      })
      yield* TestClock.adjust("1 minute")
      expect((yield* world.exchange(yield* world.code)).status).toBe(201)
    })
  )

  it.scoped("cannot be used from another origin, without one, or through another address", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const port = page.portOf((yield* world.code).origin)
      const refused = (headers: { readonly [name: string]: string }) =>
        Effect.flatMap(world.code, (code) => world.exchange(code, headers))
      for (const origin of [
        "http://evil.example",
        "null",
        `http://127.0.0.1:${port + 1}`,
        `https://127.0.0.1:${port}`
      ]) {
        expect(yield* refused({ origin })).toMatchObject({ status: 403, json: { reason: "origin" } })
      }
      expect(yield* refused({ host: `evil.example:${port}` })).toMatchObject({ status: 403, json: { reason: "host" } })
      expect(yield* refused({ "sec-fetch-site": "cross-site" })).toMatchObject({
        status: 403,
        json: { reason: "site" }
      })
      // The same server by another name: the code was not made for that origin, and is used up.
      const code = yield* world.code
      const byName = { origin: `http://localhost:${port}`, host: `localhost:${port}` }
      expect(yield* world.exchange(code, byName)).toMatchObject({ status: 403, json: { _tag: "InvalidCode" } })
      expect(yield* world.exchange(code)).toMatchObject({ status: 403, json: { _tag: "InvalidCode" } })
      const { origin } = code
      const without = yield* requests.send(
        { port },
        {
          method: "POST",
          path: "/api/v1/session",
          body: JSON.stringify(code),
          headers: { host: new URL(origin).host, "content-type": "application/json" }
        }
      )
      expect(without).toMatchObject({ status: 403, json: { reason: "origin" } })
    })
  )

  it.scoped("is given to those that have the socket or the token of the home, not to a session", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const session = yield* world.session
      const sent = { method: "POST", path: "/api/v1/session/code" }
      expect(yield* world.as(session, sent)).toMatchObject({ status: 401, json: { reason: "token" } })
      const ofHome = World.authorization.replace("Bearer ", "")
      expect((yield* world.as({ ...session, token: ofHome }, sent)).status).toBe(201)
      expect((yield* world.as({ ...session, token: "" }, sent)).status).toBe(401)
    })
  )
})
