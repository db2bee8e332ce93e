import * as HttpApi from "@effect/platform/HttpApi"
import { describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { Effect } from "effect"
import { rmSync } from "node:fs"
import { unknownId } from "../../../support/jobs.js"
import * as page from "../../page.js"
import * as requests from "../../requests.js"
import * as World from "../../world.js"

const documents = ["/", "/jobs", `/jobs/${unknownId}`, `/jobs/${unknownId}/diff`, "/system"]
const assets = ["/assets/page-1.js", "/assets/styles-1.css"]

/** Headers of a browser that follows a link on another site. */
const navigation = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"

const common = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const get = (origin: string, path: string, headers: { readonly [name: string]: string } = {}) =>
  requests.send({ port: page.portOf(origin) }, { path, headers: { host: new URL(origin).host, ...headers } })

const opened = Effect.gen(function* () {
  const world = yield* page.make()
  return { ...world, origin: (yield* world.code).origin }
})

describe("files of the page", () => {
  it.scoped("are served without a token: one shell for every address, and its assets", () =>
    Effect.gen(function* () {
      const { origin } = yield* opened
      for (const path of documents) {
        const answer = yield* get(origin, `${path}?unit=x&task=3`)
        expect({ path, status: answer.status, text: answer.text }).toEqual({
          path,
          status: 200,
          text: page.files["index.html"]
        })
        expect(answer.headers).toMatchObject({ ...common, "content-type": "text/html; charset=utf-8" })
      }
      const types = ["text/javascript; charset=utf-8", "text/css; charset=utf-8"]
      for (const [at, path] of assets.entries()) {
        const answer = yield* get(origin, path, { "sec-fetch-site": "same-origin" })
        expect(answer).toMatchObject({ status: 200, text: page.files[path.slice(1)] })
        expect(answer.headers).toMatchObject({ ...common, "content-type": types[at] })
      }
    })
  )

  it.scoped("are those of the directory of assets only", () =>
    Effect.gen(function* () {
      const { origin, session } = yield* opened
      const { token } = yield* session
      for (const path of ["/assets/notes", "/assets/none.js", "/assets/index.html"]) {
        expect({ path, ...(yield* get(origin, path)) }).toMatchObject({
          path,
          status: 404,
          json: { _tag: "NoSuchRoute" }
        })
      }
      for (const path of [
        "/assets/..%2findex.html",
        "/assets/../index.html",
        "/assets/%2e%2e/sessions.json",
        "/assets/",
        "/assets",
        "/index.html",
        "/licences.txt",
        "//",
        "/jobs/",
        `/jobs/${unknownId}/logs`,
        "/jobs/../metrics",
        "/%6detrics"
      ]) {
        expect({ path, status: (yield* get(origin, path)).status }).toEqual({ path, status: 401 })
        const { text } = yield* get(origin, path, { authorization: `Bearer ${token}` })
        expect({ path, isFile: Object.values(page.files).includes(text), isSecret: text.includes(token) }).toEqual({
          path,
          isFile: false,
          isSecret: false
        })
      }
    })
  )

  it.scoped("may be navigated to from anywhere, and loaded by no other site", () =>
    Effect.gen(function* () {
      const { origin } = yield* opened
      for (const path of [...documents, "/docs"]) {
        expect({ path, status: (yield* get(origin, path, navigation)).status }).toEqual({ path, status: 200 })
        for (const other of [
          { "sec-fetch-dest": "iframe" },
          { "sec-fetch-dest": "script", "sec-fetch-mode": "no-cors" },
          { "sec-fetch-mode": "cors" },
          { "sec-fetch-site": "same-site", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors" }
        ]) {
          expect(yield* get(origin, path, { ...navigation, ...other })).toMatchObject({
            status: 403,
            json: { reason: "site" }
          })
        }
        // A page of another name that leads to this address.
        expect(yield* get(origin, path, { ...navigation, host: `evil.example:${page.portOf(origin)}` })).toMatchObject({
          status: 403,
          json: { reason: "host" }
        })
      }
      const post = { method: "POST", path: "/", headers: { host: new URL(origin).host, ...navigation } }
      expect((yield* requests.send({ port: page.portOf(origin) }, post)).status).toBe(403)
    })
  )

  it.scoped("cannot be used to navigate to data", () =>
    Effect.gen(function* () {
      const { origin, session } = yield* opened
      const { token } = yield* session
      for (const path of ["/api/v1/jobs", "/api/v1/events", "/metrics", "/readyz", "/api/v1/session/code"]) {
        const answer = yield* get(origin, path, { ...navigation, authorization: `Bearer ${token}` })
        expect({ path, ...answer }).toMatchObject({ path, status: 403, json: { reason: "site" } })
      }
    })
  )

  it.scoped("are missing from an installation without them, which says so", () =>
    Effect.gen(function* () {
      const { directory, origin } = yield* opened
      rmSync(`${directory}/web`, { recursive: true })
      expect(yield* get(origin, "/")).toMatchObject({ status: 404, text: expect.stringContaining("npm run build") })
    })
  )

  it.scopedLive("do not exist on a server without a page", () =>
    Effect.gen(function* () {
      const { port } = yield* World.make()
      for (const path of [...documents, ...assets]) {
        expect((yield* requests.send({ port }, { path })).status).toBe(401)
        expect((yield* requests.send({ port }, { path, headers: { authorization: World.authorization } })).status).toBe(
          404
        )
      }
    })
  )
})

describe("headers of a server with a page", () => {
  it.scoped("are in every answer: files, data, errors and refusals", () =>
    Effect.gen(function* () {
      const { bySocket, origin, session } = yield* opened
      const { token } = yield* session
      const authorization = `Bearer ${token}`
      const paths: Array<string> = []
      HttpApi.reflect(Http.Api.Api, {
        onGroup: () => {},
        onEndpoint: ({ endpoint: { method, path } }) => {
          if (method === "GET" && !path.endsWith("/events")) paths.push(path.replace(":id", unknownId))
        }
      })
      const answers = [
        ...(yield* Effect.forEach([...documents, ...assets, "/openapi.json"], (path) => get(origin, path))),
        ...(yield* Effect.forEach(paths, (path) => get(origin, path, { authorization }))),
        yield* get(origin, "/api/v1/jobs?limit=0", { authorization }),
        // Refused by token, host, site and origin; not found.
        yield* get(origin, "/api/v1/jobs"),
        yield* get(origin, "/", { host: "evil.example" }),
        yield* get(origin, "/api/v1/jobs", { authorization, "sec-fetch-site": "cross-site" }),
        yield* get(origin, "/", { origin: "http://evil.example" }),
        yield* get(origin, "/nowhere", { authorization }),
        yield* bySocket({ path: "/" })
      ]
      for (const { headers, status } of answers) {
        expect({ status, ...headers }).toMatchObject({
          status,
          ...common,
          "content-security-policy": contentSecurityPolicy
        })
      }
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 401, 403, 404, 400]))
      const stream = yield* requests.open(
        { port: page.portOf(origin) },
        { path: "/api/v1/events", headers: { host: new URL(origin).host, authorization } }
      )
      expect(stream.headers).toMatchObject({ ...common, "content-security-policy": contentSecurityPolicy })
    })
  )

  it.scoped("permit the docs page its own style and nothing else", () =>
    Effect.gen(function* () {
      const { origin } = yield* opened
      const { headers } = yield* get(origin, "/docs")
      expect(headers).toMatchObject(common)
      expect(headers["content-security-policy"]).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/
      )
    })
  )
})
