/** Requests that are well-formed HTTP, and that no honest client sends. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import { JobManager } from "charlotte"
import { config } from "../../support/jobs.js"
import * as requests from "../requests.js"
import * as World from "../world.js"

const headers = { "content-type": "application/json" }

const post = (path: string, body: string): requests.Sent => ({ method: "POST", path: `/api/v1${path}`, headers, body })

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`

describe("JSON that is nested too deeply", () => {
  for (const depth of [101, 3_000, 100_000])
    for (const path of ["/jobs", "/jobs/stop"])
      it.scopedLive(`${depth} levels in the body of POST ${path} is refused with 400`, () =>
        Effect.gen(function* () {
          const world = yield* World.make()
          const sent = post(path, `{"labels":${nested(depth)}}`)
          expect(yield* world.send(sent)).toMatchObject({
            status: 400,
            json: { _tag: "RequestRefused", reason: "depth", message: expect.stringContaining("100 levels") }
          })
        })
      )

  it.scopedLive("brackets in strings do not count", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const body = JSON.stringify({ ...config, labels: { a: `\\"${"[{".repeat(400)}"` } })
      expect(yield* world.send(post("/jobs", body))).toMatchObject({ status: 201 })
    })
  )
})

describe("headers", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, "1"]))

  it.scopedLive("more than 100 are refused with 431 instead of dropped", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      expect(yield* world.send({ path: "/healthz", headers: many(101) })).toMatchObject({
        status: 431,
        json: { _tag: "RequestRefused", reason: "headers", message: expect.stringContaining("100 headers") }
      })
      expect(yield* world.send({ path: "/healthz", headers: many(90) })).toMatchObject({ status: 200 })
    })
  )

  it.scopedLive("the last of many still counts: a token is found, and a foreign origin is refused", () =>
    Effect.gen(function* () {
      const { port } = yield* World.make()
      const last = (headers: { readonly [name: string]: string }) =>
        requests.send({ port }, { path: "/readyz", headers: { ...many(90), ...headers } })
      expect(yield* last({ authorization: World.authorization })).toMatchObject({ status: 200 })
      expect(yield* last({ authorization: World.authorization, origin: "http://evil.example" })).toMatchObject({
        status: 403
      })
    })
  )
})

describe("labels", () => {
  const submit = (labels: string) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const answer = yield* world.send(post("/jobs", `${JSON.stringify(config).slice(0, -1)},"labels":${labels}}`))
      const { activeCount } = Context.get(world.services, JobManager.JobManager)
      return { ...answer, active: yield* activeCount }
    })

  const issue = (name: string | undefined, message: string) => ({
    status: 422,
    active: 0,
    json: {
      _tag: "InvalidJobConfig",
      issues: [{ path: name === undefined ? ["labels"] : ["labels", name], message: expect.stringContaining(message) }]
    }
  })

  it.scopedLive("named __proto__ is refused instead of dropped", () =>
    Effect.gen(function* () {
      expect(yield* submit('{"__proto__":"x"}')).toMatchObject(issue("__proto__", "a name other than __proto__"))
    })
  )

  it.scopedLive("64 of 1 KiB each are accepted", () =>
    Effect.gen(function* () {
      const labels = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`l${n}`, "x".repeat(1021)]))
      expect(yield* submit(JSON.stringify(labels))).toMatchObject({ status: 201, active: 1 })
    })
  )

  it.scopedLive("more than 64, and one of more than 1 KiB, are refused by name", () =>
    Effect.gen(function* () {
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, "x"]))
      expect(yield* submit(JSON.stringify(many))).toMatchObject(issue(undefined, "at most 64"))
      // Bytes count, not characters.
      expect(yield* submit(JSON.stringify({ big: "ä".repeat(600) }))).toMatchObject(issue("big", "at most 1024 bytes"))
    })
  )
})

describe("a port", () => {
  it.scopedLive("answers GET /healthz without a token, and nothing else", () =>
    Effect.gen(function* () {
      const { port } = yield* World.make()
      expect(yield* requests.send({ port }, { path: "/healthz" })).toMatchObject({ status: 200 })
      expect(yield* requests.send({ port }, { path: "/healthz?x=y" })).toMatchObject({ status: 200 })
      for (const path of ["/readyz", "/metrics", "/openapi.json", "/healthz/", "/healthz/../metrics", "/api/v1/jobs"]) {
        expect(yield* requests.send({ port }, { path })).toMatchObject({ status: 401 })
      }
    })
  )

  it.scopedLive("tells a browser that opens /docs without a token which command shows the page", () =>
    Effect.gen(function* () {
      const { port } = yield* World.make()
      const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
      const answer = yield* requests.send({ port }, { path: "/docs", headers: { accept, "sec-fetch-site": "none" } })
      expect(answer).toMatchObject({ status: 401, text: expect.stringContaining("charlotte docs") })
      expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8")
      expect(answer.headers["content-security-policy"]).toContain("default-src 'none'")
    })
  )
})
