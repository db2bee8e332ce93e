/** Requests that are well-formed HTTP, and that no honest client sends. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Duration, Effect, Fiber, Schedule } from "effect"
import { JobManager } from "charlotte"
import { FreeSpace } from "../../../src/process/FreeSpace.js"
import { figures } from "../../support/figures.js"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as requests from "../requests.js"
import * as World from "../world.js"

const headers = { "content-type": "application/json" }

const post = (path: string, body: string): requests.Sent => ({ method: "POST", path: `/api/v1${path}`, headers, body })

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`

describe("deeply nested JSON", () => {
  for (const depth of [101, 3_000, 100_000])
    for (const path of ["/jobs", "/jobs/stop"])
      it.scopedLive(`${depth} levels in the body of POST ${path} are refused with 400`, () =>
        Effect.gen(function* () {
          const world = yield* World.make()
          const sent = post(path, `{"labels":${nested(depth)}}`)
          expect(yield* world.send(sent)).toMatchObject({
            status: 400,
            json: { _tag: "RequestRefused", reason: "depth", message: expect.stringContaining("100 levels") }
          })
        })
      )

  it.scopedLive("brackets in strings are not counted", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const body = JSON.stringify({ ...config, labels: { a: `\\"${"[{".repeat(400)}"` } })
      expect(yield* world.send(post("/jobs", body))).toMatchObject({ status: 201 })
    })
  )
})

describe("request headers", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, "1"]))

  it.scopedLive("more than 100 are refused with 431", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      expect(yield* world.send({ path: "/healthz", headers: many(101) })).toMatchObject({
        status: 431,
        json: { _tag: "RequestRefused", reason: "headers", message: expect.stringContaining("100 headers") }
      })
      expect(yield* world.send({ path: "/healthz", headers: many(90) })).toMatchObject({ status: 200 })
    })
  )

  it.scopedLive("token and origin are checked even as the last of many", () =>
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

describe("job labels", () => {
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

  it.scopedLive("__proto__ is refused as a name", () =>
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

  it.scopedLive("more than 64, or one over 1 KiB, are refused with the name of the field", () =>
    Effect.gen(function* () {
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, "x"]))
      expect(yield* submit(JSON.stringify(many))).toMatchObject(issue(undefined, "at most 64"))
      // Bytes count, not characters.
      expect(yield* submit(JSON.stringify({ big: "ä".repeat(600) }))).toMatchObject(issue("big", "at most 1024 bytes"))
    })
  )
})

describe("TCP port", () => {
  it.scopedLive("serves without a token only GET and HEAD of /healthz, /docs and /openapi.json", () =>
    Effect.gen(function* () {
      const { port } = yield* World.make()
      for (const path of ["/healthz", "/docs", "/openapi.json"]) {
        for (const query of ["", "?x=y"])
          expect(yield* requests.send({ port }, { path: `${path}${query}` })).toMatchObject({ status: 200 })
        for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
          expect(yield* requests.send({ port }, { method, path })).toMatchObject({ status: 401 })
        for (const other of [`${path}/`, `/${path}`, `${path}/../metrics`, `${path}%2f..%2fmetrics`, `${path}#x`])
          expect(yield* requests.send({ port }, { path: other }), other).toMatchObject({ status: 401 })
      }
      for (const path of ["/readyz", "/metrics", "/api/v1/jobs", "/api/v1/events", "/", "/nowhere"])
        expect(yield* requests.send({ port }, { path }), path).toMatchObject({ status: 401 })
    })
  )

  it.scopedLive("shows a browser /docs with no token, and no other site a thing", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      yield* world.bySocket.start({ ...config, labels: { secret: "of-a-job" } })
      const { port } = world
      const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
      const browser = { accept, "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }
      for (const [path, type] of [
        ["/docs", "text/html; charset=utf-8"],
        ["/openapi.json", "application/json"]
      ] as const) {
        const answer = yield* requests.send({ port }, { path, headers: browser })
        expect(answer).toMatchObject({ status: 200, text: expect.not.stringContaining("of-a-job") })
        expect(answer.headers).toMatchObject({
          "content-type": type,
          "content-security-policy": expect.stringContaining("default-src 'none'"),
          "cross-origin-resource-policy": "same-origin",
          "x-frame-options": "DENY"
        })
        for (const foreign of [
          { host: "evil.example" },
          { origin: "http://evil.example" },
          { "sec-fetch-site": "cross-site" }
        ])
          expect(yield* requests.send({ port }, { path, headers: { ...browser, ...foreign } })).toMatchObject({
            status: 403
          })
      }
    })
  )
})

describe("GET /jobs", () => {
  it.scopedLive("limits a page to 4 MiB and continues on the next page without a gap", () =>
    Effect.gen(function* () {
      const count = 60
      const world = yield* World.make({ maxJobs: count })
      const labels = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`l${n}`, "x".repeat(1021)]))
      const ids = yield* Effect.replicateEffect(world.bySocket.start({ ...config, labels }), count)
      const { text } = yield* world.send({ path: "/api/v1/jobs?limit=1000" })
      expect(text.length).toBeGreaterThan(3 * 1024 * 1024)
      expect(text.length).toBeLessThan(4.1 * 1024 * 1024)
      const seen: Array<string> = []
      let page = yield* world.bySocket.list({ limit: 1_000 })
      for (;;) {
        seen.push(...page.jobs.map(({ id }) => id))
        if (page.next === undefined) break
        page = yield* world.bySocket.list({ limit: 1_000, before: page.next })
      }
      expect(seen).toEqual([...ids].reverse())
    })
  )
})

describe("/readyz", () => {
  it.scopedLive("is 503 while the disk is full and 200 afterwards", () =>
    Effect.gen(function* () {
      let free = 1024
      const directory = yield* TemporaryDirectory.make
      const world = yield* World.make({ logs: directory }).pipe(
        Effect.provideService(FreeSpace, () => Effect.sync(() => free))
      )
      expect(yield* world.send({ path: "/readyz" })).toMatchObject({
        status: 503,
        json: { _tag: "NotReady", problems: [`the disk that holds ${directory} is full`] }
      })
      free = 2 * 1024 * 1024
      expect(yield* world.send({ path: "/readyz" })).toMatchObject({ status: 200 })
    })
  )
})

describe("POST /jobs", () => {
  it.scopedLive("1,000 requests at capacity are refused with Retry-After, without a check", () =>
    Effect.gen(function* () {
      let checks = 0
      const world = yield* World.make({
        maxJobs: 1,
        check: () => Effect.sync(() => ((checks += 1), {}))
      })
      yield* world.bySocket.start(config)
      expect(checks).toBe(1)
      const submission = post("/jobs", JSON.stringify(config))
      const [taken, answers] = yield* Effect.timed(
        Effect.replicateEffect(world.send(submission), 1_000, { concurrency: 100 })
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]))
      expect(answers.every(({ headers }) => headers["retry-after"] !== undefined)).toBe(true)
      expect(checks).toBe(1)
      figures(`1,000 starts at capacity are refused in ${Duration.format(taken)}`)
      expect(yield* world.send({ path: "/healthz" })).toMatchObject({ status: 200 })
    })
  )

  it.scopedLive("400 requests with free permits are checked four at a time, each answered as it is checked", () =>
    Effect.gen(function* () {
      const count = 400
      const tickets = yield* Effect.makeSemaphore(count)
      yield* tickets.take(count)
      let [begun, current, peak, answered] = [0, 0, 0, 0]
      const world = yield* World.make({
        maxJobs: count,
        check: () =>
          Effect.gen(function* () {
            begun += 1
            current += 1
            peak = Math.max(peak, current)
            yield* tickets.take(1)
            current -= 1
            return {}
          })
      })
      const submission = post("/jobs", JSON.stringify(config))
      const answer = Effect.tap(world.send(submission), () => Effect.sync(() => (answered += 1)))
      const all = yield* Effect.forkScoped(Effect.replicateEffect(answer, count, { concurrency: "unbounded" }))
      yield* until(() => current === 4)
      expect(yield* world.send({ path: "/healthz" })).toMatchObject({ status: 200 })
      expect([begun, answered]).toEqual([4, 0])
      yield* tickets.release(1)
      yield* until(() => answered === 1 && current === 4)
      expect(begun).toBe(5)
      const [taken, answers] = yield* Effect.timed(Effect.zipRight(tickets.release(count - 1), Fiber.join(all)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
      expect([begun, peak]).toEqual([count, 4])
      figures(`400 starts with free permits are answered in ${Duration.format(taken)}`)
    })
  )
})

const until = (isSo: () => boolean) =>
  Effect.sync(isSo).pipe(Effect.repeat({ until: (isSo) => isSo, schedule: Schedule.spaced("10 millis") }))
