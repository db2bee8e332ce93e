import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { JobEvent } from "charlotte"
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { stringify } from "yaml"
import { fieldDocs } from "../../../src/http/contract/fieldDocs.js"
import * as eventSchemas from "../../../src/http/contract/eventSchemas.js"
import * as TaskEvents from "../../../src/tasks/events.js"
import manifest from "../../../package.json" with { type: "json" }
import * as World from "../world.js"

const routes: Array<readonly [path: string, method: string]> = []
HttpApi.reflect(Http.Api.Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { method, path } }) => routes.push([path.replace(/:(\w+)/g, "{$1}"), method.toLowerCase()])
})

const document = OpenApi.fromApi(Http.Api.Api)

describe("OpenAPI document", () => {
  const { schemas } = document.components

  it("is test/snapshots/openapi.yaml", () =>
    expect(stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 })).toMatchFileSnapshot(
      "../../snapshots/openapi.yaml"
    ))

  it.scopedLive("is served", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { headers, json, status } = yield* world.send({ path: "/openapi.json" })
      expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "application/json" })
      expect(json).toEqual(JSON.parse(JSON.stringify(document)))
    })
  )

  type Json = { readonly [name: string]: unknown }
  const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null

  /** Every property of every object below a value, with where it is. */
  const properties = (where: string, value: unknown): ReadonlyArray<readonly [where: string, field: unknown]> => {
    if (!isJson(value)) return []
    const own = isJson(value["properties"]) && value["type"] === "object" ? Object.entries(value["properties"]) : []
    const inner = Object.entries(value).filter(([key]) => key !== "examples")
    return [
      ...own.map(([name, field]) => [`${where}.${name}`, field] as const),
      ...inner.flatMap(([key, inner]) => properties(`${where}.${key}`, inner))
    ]
  }

  it("describes every route, field and parameter, with an example of each field and parameter", () => {
    for (const route of routes) expect(document.paths).toHaveProperty([...route, "summary"])
    const fields = [...properties("schemas", schemas), ...properties("paths", document.paths)]
    expect(fields.length).toBeGreaterThan(300)
    const documented = { description: expect.stringMatching(/\w/), examples: [expect.anything()] }
    const lacking = fields.filter(([, field]) => !isJson(field) || !("description" in field) || !("examples" in field))
    expect(lacking.map(([where]) => where)).toEqual([])
    for (const [where, field] of fields) expect(field, where).toMatchObject(documented)
    for (const { parameters } of Object.values(document.paths).flatMap((item) => Object.values(item))) {
      for (const parameter of parameters) {
        expect(parameter).toMatchObject({ description: expect.stringMatching(/^[A-Z]/), example: expect.anything() })
      }
    }
  })

  it("describes no field that does not exist", () => {
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
    const owners: Json = {
      ...schemas,
      ...Object.fromEntries(operations.map((operation) => [operation.operationId.replace(/^.*\./, ""), operation])),
      JobEvent: schemas["JobEvent.other"],
      Tagged: schemas["JobNotFound"]
    }
    const isStale = (key: string): boolean => {
      const [, owner = "", field = ""] = /^(.*)\.(.*)$/.exec(key) ?? []
      return !JSON.stringify(owners[owner] ?? owners[`JobEvent.${owner}`] ?? null).includes(`"${field}"`)
    }
    expect([...fieldDocs.keys()].filter(isStale)).toEqual([])
  })

  it("has the payload of every event type as data of the event streams", () => {
    const types = [...Object.keys(JobEvent.lifecycle), ...Object.keys(TaskEvents.payloads)]
    for (const type of types) expect(schemas).toHaveProperty([`JobEvent.${type}`, "properties", "payload"])
    expect(schemas["JobEvent"]).toMatchObject({ anyOf: expect.arrayContaining([{ $ref: expect.any(String) }]) })
    for (const path of ["/api/v1/events", "/api/v1/jobs/{id}/events"] as const) {
      expect(document.paths).toHaveProperty(
        [path, "get", "responses", "200", "content", "text/event-stream", "schema"],
        {
          type: "string",
          contentMediaType: "application/json",
          contentSchema: { $ref: "#/components/schemas/JobEvent" }
        }
      )
    }
  })

  it("has examples that are valid for the event schemas", () => {
    const decode = Schema.decodeUnknownSync(eventSchemas.make(() => TaskEvents.payloads))
    const examples = (schema: unknown): unknown => {
      const fields = isJson(schema) && isJson(schema["properties"]) ? schema["properties"] : {}
      return Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [
          name,
          isJson(field) && Array.isArray(field["examples"]) ? field["examples"][0] : undefined
        ])
      )
    }
    for (const [name, schema] of Object.entries(schemas).filter(([name]) => name.startsWith("JobEvent."))) {
      expect(() => decode(examples(schema)), name).not.toThrow()
    }
  })
})

describe("docs page", () => {
  it.scopedLive("shows every route, without scripts or external resources", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { headers, status, text } = yield* world.send({ path: "/docs" })
      expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/html; charset=utf-8" })
      for (const [path, method] of routes) expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
      expect(text).not.toMatch(/<script|<link|<img|<iframe|<form|\bon\w+=|src=|url\(|@import|javascript:/i)
      const examples = /http:\/\/127\.0\.0\.1:7433|https:\/\/github\.com\/acme\/app\/pull\/7/g
      expect(text.replaceAll(examples, "")).not.toMatch(/https?:\/\//)
      const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? ""
      const digest = createHash("sha256").update(style).digest("base64")
      expect(headers["content-security-policy"]).toBe(
        `default-src 'none'; style-src 'sha256-${digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
      )
    })
  )
})

describe("version header", () => {
  it.scopedLive("is the version of the package, in every response", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const path of ["/healthz", "/nowhere"]) {
        expect((yield* world.send({ path })).headers["charlotte-version"]).toBe(manifest.version)
      }
    })
  )
})
