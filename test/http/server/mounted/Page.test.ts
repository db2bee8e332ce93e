/** The page of an application: who gets in, what it serves, and below which addresses. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as TemporaryDirectory from "../../../support/TemporaryDirectory.js"
import { acting, Errand, errandOf, make, type Options, proxy } from "../../mounted.js"
import * as requests from "../../requests.js"
import { mkdirSync, writeFileSync } from "node:fs"

const shell = `<!doctype html><html><head><link href="/assets/styles-1.css" /><script src="/assets/page-1.js"></script></head></html>`

/** Files as the build makes them. */
const files = Effect.map(TemporaryDirectory.make, (directory) => {
  mkdirSync(`${directory}/assets`)
  writeFileSync(`${directory}/index.html`, shell)
  writeFileSync(`${directory}/assets/page-1.js`, "export {}")
  return directory
})

const app = (options: Options = {}) => Effect.flatMap(files, (files) => make({ files, ...options }))

const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }

const meta = (html: string, name: string) =>
  new RegExp(`<meta name="charlotte:${name}" content="([^"]*)"`).exec(html)?.[1]

describe("Page.layer", () => {
  for (const router of ["HttpApiBuilder", "HttpLayerRouter"] as const) {
    for (const path of ["/jobs", "/a/b", "/"] as const) {
      const below = (rest: string) => (path === "/" ? rest : `${path}${rest}`)

      it.scopedLive(`serves page and API below ${path} in a router of ${router}`, () =>
        Effect.gen(function* () {
          const { as, services } = yield* app({ path, router })
          const id = yield* Effect.flatMap(Errand.pipe(Effect.provide(services)), (errands) =>
            errands.start(errandOf("acme"))
          )
          for (const address of [below("/"), below(`/${id}`), path]) {
            const document = yield* as("ada", { path: address })
            expect(document).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } })
            // Relative to the address, which a proxy may have changed.
            const root = meta(document.text, "root") ?? ""
            const resolved = new URL(root, `http://host${address}`).pathname
            expect(resolved.replace(/\/$/, "")).toBe(path === "/" ? "" : path)
            expect(document.text).toContain(`src="${root}/assets/page-1.js"`)
          }
          expect(yield* as("ada", { path: below("/assets/page-1.js") })).toMatchObject({
            status: 200,
            text: "export {}"
          })
          expect(yield* as("ada", { path: below("/api/v1/jobs") })).toMatchObject({ json: { jobs: [{ id }] } })
          expect(yield* as("ada", { path: below(`/api/v1/jobs/${id}`) })).toMatchObject({ json: { status: "running" } })
          const stop = { method: "POST", path: below(`/api/v1/jobs/${id}/stop`), headers: acting }
          expect(yield* as("ada", stop)).toMatchObject({ status: 200, json: { status: "cancelled" } })
          // The application's routes are its own.
          expect(yield* as(undefined, { path: "/hello" })).toMatchObject({ status: 200, json: "hi" })
        })
      )
    }
  }

  it.scopedLive("has its headers on its own paths only", () =>
    Effect.gen(function* () {
      const { as } = yield* app()
      const page = yield* as("ada", { path: "/jobs" })
      expect(page.headers["content-security-policy"]).toContain("require-trusted-types-for 'script'")
      for (const name of Object.keys((yield* as(undefined, { path: "/hello" })).headers)) {
        expect(["connection", "content-length", "content-type", "date", "keep-alive"]).toContain(name)
      }
    })
  )

  it.scopedLive("has no system, diff, logs, shutdown, metrics, sessions, and nothing that concerns all jobs", () =>
    Effect.gen(function* () {
      const { as } = yield* app()
      const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
      for (const path of [
        "/api/v1/system",
        "/api/v1/agents",
        `/api/v1/jobs/${id}/diff`,
        `/api/v1/jobs/${id}/logs`,
        `/api/v1/jobs/${id}/logs/files`,
        "/metrics",
        "/healthz",
        "/readyz",
        "/docs",
        "/openapi.json",
        "/system",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/api/v1/jobs//stop"
      ]) {
        expect([path, (yield* as("ada", { path: `/jobs${path}` })).status]).toEqual([path, 404])
      }
      for (const path of [
        "/api/v1/shutdown",
        "/api/v1/jobs",
        "/api/v1/jobs/stop",
        "/api/v1/jobs/prune",
        "/api/v1/session/code",
        "/api/v1/kinds/tasks/jobs",
        `/api/v1/jobs/${id}/land`,
        `/api/v1/jobs/${id}/approve`
      ]) {
        const sent = { method: "POST", path: `/jobs${path}`, headers: acting, body: '{"all":true}' }
        expect([path, (yield* as("ada", sent)).status]).toEqual([path, 404])
      }
    })
  )

  it.scopedLive("leads a browser without a session to the login, and refuses everything else without one", () =>
    Effect.gen(function* () {
      const { as, services } = yield* app()
      const id = yield* Effect.flatMap(Errand.pipe(Effect.provide(services)), (errands) =>
        errands.start(errandOf("acme"))
      )
      for (const path of ["/jobs", "/jobs/", `/jobs/${id}`]) {
        for (const session of [undefined, "unknown"]) {
          expect(yield* as(session, { path, headers: navigation })).toMatchObject({
            status: 303,
            text: "",
            headers: { location: "/login" }
          })
        }
      }
      for (const path of ["/assets/page-1.js", "/api/v1/jobs", `/api/v1/jobs/${id}`, "/api/v1/events"]) {
        expect(yield* as(undefined, { path: `/jobs${path}` })).toMatchObject({
          status: 401,
          json: { reason: "session" }
        })
      }
      const stop = { method: "POST", path: `/jobs/api/v1/jobs/${id}/stop`, headers: acting }
      expect((yield* as(undefined, stop)).status).toBe(401)
    })
  )

  it.scopedLive("takes what acts as JSON from its own page only", () =>
    Effect.gen(function* () {
      const { as, port, services } = yield* app({ origins: ["https://jobs.example.com"] })
      const errands = yield* Effect.provide(Errand, services)
      const id = yield* errands.start(errandOf("acme"))
      const pin = (headers: { readonly [name: string]: string }) =>
        Effect.map(as("ada", { method: "POST", path: `/jobs/api/v1/jobs/${id}/pin`, headers }), ({ status }) => status)
      const json = { "content-type": "application/json" }
      const own = `http://127.0.0.1:${port}`
      const host = { host: `127.0.0.1:${port}` }
      for (const headers of [
        { "sec-fetch-site": "same-origin" },
        { origin: own, ...host },
        { origin: "https://jobs.example.com" }
      ]) {
        expect([headers, yield* pin({ ...json, ...headers })]).toEqual([headers, 204])
        expect([headers, yield* pin(headers)]).toEqual([headers, 415])
        expect(yield* pin({ ...headers, "content-type": "text/plain" })).toBe(415)
      }
      for (const headers of [
        {},
        { "sec-fetch-site": "none" },
        { "sec-fetch-site": "same-site" },
        { "sec-fetch-site": "cross-site", origin: own, ...host },
        { origin: "https://example.com" },
        { origin: "null" },
        { origin: `http://127.0.0.1:${port}.example.com` }
      ]) {
        expect([headers, yield* pin({ ...json, ...headers })]).toEqual([headers, 403])
      }
    })
  )

  it.scopedLive("refuses a body that is no JSON, and one that is too large though it does not say so", () =>
    Effect.gen(function* () {
      const { as, services } = yield* app()
      const errands = yield* Effect.provide(Errand, services)
      const id = yield* errands.start(errandOf("acme"))
      const signal = { method: "POST", path: `/jobs/api/v1/jobs/${id}/signals/go` }
      expect(yield* as("ada", { ...signal, headers: acting, body: "{" })).toMatchObject({
        status: 400,
        json: { _tag: "RequestRefused", reason: "json" }
      })
      const body = JSON.stringify({ by: "x".repeat(2 * 1024 * 1024) })
      const chunked = as("ada", { ...signal, headers: { ...acting, "transfer-encoding": "chunked" }, body })
      // The connection may be closed before all of it is sent.
      const answer = yield* Effect.exit(chunked)
      expect(
        Exit.getOrElse(
          Exit.map(answer, ({ status }) => status),
          () => 413
        )
      ).toBe(413)
    })
  )

  it.scopedLive("works behind a proxy that removes the path", () =>
    Effect.gen(function* () {
      const { port } = yield* app({ path: "/" })
      const proxied = yield* proxy("/a/b", { to: port })
      const document = yield* requests.send(proxied, { path: "/a/b/", headers: { cookie: "session=ada" } })
      expect(new URL(meta(document.text, "root") ?? "", "http://host/a/b/").pathname).toBe("/a/b/")
    })
  )

  it.effect("a path that no router has is a defect", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.scoped(make({ path: "/jobs/" })))
      expect(String(exit)).toContain("the path of a page is like /jobs or /a/b, not /jobs/")
    })
  )
})
