import * as HttpApi from "@effect/platform/HttpApi"
import { describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import manifest from "../../../package.json" with { type: "json" }
import * as World from "../world.js"

const routes: Array<readonly [path: string, method: string]> = []
HttpApi.reflect(Http.Api.Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { method, path } }) => routes.push([path.replace(":id", "{id}"), method.toLowerCase()])
})

describe("the OpenAPI document", () => {
  it.scopedLive("tells of every route, what it may answer, and of every error by name", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { headers, json, status } = yield* world.send({ path: "/openapi.json" })
      expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "application/json" })
      expect(json).toMatchObject({ openapi: "3.1.0", info: { title: "Charlotte", version: manifest.version } })
      for (const route of routes) expect(json).toHaveProperty(["paths", ...route, "summary"])
      expect(routes.length).toBe(13)
      for (const status of [201, 400, 401, 403, 409, 412, 413, 415, 422, 429, 500, 503, 507]) {
        expect(json).toHaveProperty(["paths", "/api/v1/jobs", "post", "responses", String(status)])
      }
      for (const name of ["InvalidJobConfig", "JobNotFound", "MaxJobsReached", "RequestRefused", "StoreError"]) {
        expect(json).toHaveProperty(["components", "schemas", name])
      }
      expect(json).toHaveProperty("components.securitySchemes.token", { type: "http", scheme: "bearer" })
    })
  )
})

describe("the docs page", () => {
  it.scopedLive("shows every route, loads nothing, and runs nothing", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { headers, status, text } = yield* world.send({ path: "/docs" })
      expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/html; charset=utf-8" })
      for (const [path, method] of routes) expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
      expect(text).not.toMatch(/<script|<link|<img|<iframe|<form|\bon\w+=|src=|url\(|@import|javascript:/i)
      expect(text).not.toMatch(/https?:\/\//)
      const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? ""
      const digest = createHash("sha256").update(style).digest("base64")
      expect(headers["content-security-policy"]).toBe(
        `default-src 'none'; style-src 'sha256-${digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
      )
    })
  )
})

describe("the version", () => {
  it.scopedLive("is that of the package, and goes with every answer", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const path of ["/healthz", "/nowhere"]) {
        expect((yield* world.send({ path })).headers["charlotte-version"]).toBe(manifest.version)
      }
    })
  )
})
