import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { lstatSync } from "node:fs"
import * as page from "../../page.js"
import * as requests from "../../requests.js"

const jobs = { path: "/api/v1/jobs" }

describe("session", () => {
  it.scoped("ends after 12 hours in which it was not used", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const [used, unused] = [yield* world.session, yield* world.session]
      yield* TestClock.adjust("11 hours")
      expect((yield* world.as(used, jobs)).status).toBe(200)
      yield* TestClock.adjust("59 minutes")
      expect((yield* world.as(unused, { path: "/healthz" })).status).toBe(200)
      yield* TestClock.adjust("1 minutes")
      expect(yield* world.as(unused, jobs)).toMatchObject({ status: 401, json: { reason: "token" } })
      expect(yield* world.proves(unused, unused.origin)).toEqual({ status: 404, isRight: false })
      expect((yield* world.as(used, jobs)).status).toBe(200)
      yield* TestClock.adjust("12 hours")
      expect((yield* world.as(used, jobs)).status).toBe(401)
    })
  )

  it.scoped("does not end while an event stream is open", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const session = yield* world.session
      const headers = { host: new URL(session.origin).host, authorization: `Bearer ${session.token}` }
      const stream = yield* requests.open({ port: page.portOf(session.origin) }, { path: "/api/v1/events", headers })
      expect(stream.statusCode).toBe(200)
      yield* TestClock.adjust("13 hours")
      expect((yield* world.as(session, jobs)).status).toBe(200)
    })
  )

  it.scoped("ends when the page ends it, with its open streams, and no other does", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const [one, other] = [yield* world.session, yield* world.session]
      const stream = ({ origin, token }: { readonly origin: string; readonly token: string }) =>
        Effect.map(requests.connect({ port: page.portOf(origin) }), (connection) => {
          const host = new URL(origin).host
          connection.write(`GET /api/v1/events HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`)
          return connection
        })
      const [ofOne, ofOther] = [yield* stream(one), yield* stream(other)]
      yield* Effect.all([ofOne.has(/200 OK/), ofOther.has(/200 OK/)])
      expect((yield* world.as(one, { method: "DELETE", path: "/api/v1/session" })).status).toBe(204)
      yield* ofOne.closed
      expect(yield* world.as(one, jobs)).toMatchObject({ status: 401 })
      expect((yield* world.as(other, jobs)).status).toBe(200)
      // There is none of the token of the home, nor on the socket.
      const ended = yield* world.bySocket({ method: "DELETE", path: "/api/v1/session" })
      expect(ended).toMatchObject({ status: 404, json: { _tag: "SessionNotFound", message: expect.any(String) } })
      // All of them, by the socket.
      const all = yield* world.bySocket({ method: "DELETE", path: "/api/v1/sessions" })
      expect(all).toMatchObject({ status: 200, json: { ended: 1 } })
      yield* ofOther.closed
      expect((yield* world.as(other, jobs)).status).toBe(401)
    })
  )

  it.scoped("outlives the server, which opens its port again", () =>
    Effect.gen(function* () {
      const { directory, made } = yield* page.restarted(({ session }) => session)
      expect(lstatSync(`${directory}/sessions.json`).mode & 0o777).toBe(0o600)
      const next = yield* page.make({ directory })
      expect(next.changes).toEqual([{ origin: made.origin }])
      expect(next.learnt).toEqual([made.token])
      expect(yield* next.proves(made, made.origin)).toEqual({ status: 200, isRight: true })
      expect((yield* next.as(made, jobs)).status).toBe(200)
      expect((yield* next.code).origin).toBe(made.origin)
    })
  )

  it.scoped("that has ended opens no port, and its port is taken by the next page", () =>
    Effect.gen(function* () {
      const { directory, made } = yield* page.restarted(({ bySocket, session }) =>
        Effect.zipLeft(session, bySocket({ method: "DELETE", path: "/api/v1/sessions" }))
      )
      const next = yield* page.make({ directory })
      expect(next.changes).toEqual([])
      expect((yield* next.code).origin).toBe(made.origin)
      expect((yield* next.as(made, jobs)).status).toBe(401)
    })
  )

  it.scoped("is not given to another server on its port: that cannot prove that it knows it", () =>
    Effect.gen(function* () {
      const { made } = yield* page.restarted(({ session }) => session)
      const heard: Array<string> = []
      // It responds to everything as the daemon would, as far as it can.
      yield* page.impostor(page.portOf(made.origin), heard)
      const world = yield* page.make()
      const answer = yield* world.proves(made, made.origin)
      expect(answer).toEqual({ status: 200, isRight: false })
      expect(heard.join()).not.toContain(made.token)
    })
  )

  it.scoped("is proved on its own port only, so that nobody can pass on the proof of a server that has moved", () =>
    Effect.gen(function* () {
      const { directory, made } = yield* page.restarted(({ session }) => session)
      const moved = yield* page.make({ directory, port: 0 })
      const { origin } = yield* moved.code
      expect(origin).not.toBe(made.origin)
      expect(yield* moved.proves(made, origin)).toEqual({ status: 404, isRight: false })
      expect((yield* moved.as({ ...made, origin }, jobs)).status).toBe(401)
      // The same port by another name is another origin.
      const session = yield* moved.session
      const host = `localhost:${page.portOf(origin)}`
      const authorization = `Bearer ${session.token}`
      const byName = yield* requests.send({ port: page.portOf(origin) }, { ...jobs, headers: { host, authorization } })
      expect(byName.status).toBe(401)
    })
  )

  it.scoped("has a nonce of 16 to 256 characters in its proof", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const { id, origin } = yield* world.session
      const status = (nonce: unknown) =>
        Effect.map(world.post(origin, "/api/v1/session/proof", { id, nonce }), ({ status }) => status)
      expect(yield* status("x".repeat(16))).toBe(200)
      expect(yield* status("x".repeat(256))).toBe(200)
      for (const nonce of ["x".repeat(15), "x".repeat(257), 7, undefined]) expect(yield* status(nonce)).toBe(400)
      expect((yield* world.post(origin, "/api/v1/session/proof", { id: "other", nonce: "x".repeat(16) })).status).toBe(
        404
      )
    })
  )
})
