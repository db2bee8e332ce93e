/**
 * What a web page could send to a port of this machine, and what becomes of it. The rules stand here a second time, as a table.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import { describe, expect, it } from "@effect/vitest"
import { errors } from "charlotte"
import * as Http from "charlotte/http"
import { Effect } from "effect"
import { config, unknownId } from "../../support/jobs.js"
import * as requests from "../requests.js"
import { worldOf } from "../stub.js"
import * as World from "../world.js"

interface Route {
  readonly method: string
  readonly path: string
}

const routes: Array<Route> = [
  { method: "GET", path: "/openapi.json" },
  { method: "GET", path: "/docs" },
  { method: "GET", path: "/nowhere" }
]
HttpApi.reflect(Http.Api.Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { method, path } }) => routes.push({ method, path: path.replace(":id", unknownId) })
})

/** In the order in which they are looked at. */
const headers = ["host", "origin", "sec-fetch-site", "authorization", "content-type"] as const

type Header = (typeof headers)[number]

/** What a header may be, or that it is missing, for a server on this port. */
type Table = { readonly [header in Header]: ReadonlyArray<string | undefined> }

const right = (port: number): Table => ({
  host: [`127.0.0.1:${port}`, `localhost:${port}`, `LocalHost:${port}`],
  origin: [undefined, `http://127.0.0.1:${port}`, `http://localhost:${port}`],
  "sec-fetch-site": [undefined, "same-origin"],
  authorization: [World.authorization, World.authorization.replace("Bearer", "bearer")],
  "content-type": ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"]
})

const wrong = (port: number): Table => ({
  host: [
    "evil.example",
    `127.0.0.1:${port + 1}`,
    "localhost",
    `localhost.evil.example:${port}`,
    `localhost:${port}@evil`
  ],
  origin: [
    "http://evil.example",
    "null",
    `https://127.0.0.1:${port}`,
    `http://127.0.0.1:${port}.evil.example`,
    "",
    "file://"
  ],
  "sec-fetch-site": ["cross-site", "same-site", ""],
  authorization: [
    undefined,
    `Bearer ${"x".repeat(42)}`,
    `${World.authorization}x`,
    World.authorization.slice(0, -1),
    World.authorization.replace("Bearer", "Basic"),
    "Bearer"
  ],
  "content-type": [
    "text/plain",
    undefined,
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=application/json",
    "text/plain; application/json",
    "application/json, text/plain",
    "application/jsonp"
  ]
})

/** What is answered when this header is wrong. */
const refusal: { readonly [header in Header]: readonly [status: number, reason: string] } = {
  host: [403, "host"],
  origin: [403, "origin"],
  "sec-fetch-site": [403, "site"],
  authorization: [401, "token"],
  "content-type": [415, "content"]
}

type Form = { readonly [header in Header]: { readonly value: string | undefined; readonly bad: boolean } }

const choices = (port: number, header: Header, count: number) => {
  const good = right(port)[header].slice(0, count)
  const bad = wrong(port)[header].slice(0, count)
  return [...good.map((value) => ({ value, bad: false })), ...bad.map((value) => ({ value, bad: true }))]
}

/** One right and one wrong value of each header, in every combination. */
const combinations = (port: number): ReadonlyArray<Form> =>
  choices(port, "host", 1).flatMap((host) =>
    choices(port, "origin", 1).flatMap((origin) =>
      choices(port, "sec-fetch-site", 1).flatMap((site) =>
        choices(port, "authorization", 1).flatMap((authorization) =>
          choices(port, "content-type", 1).map((contentType) => ({
            host,
            origin,
            "sec-fetch-site": site,
            authorization,
            "content-type": contentType
          }))
        )
      )
    )
  )

/** Every value of one header, where all else is right. */
const variations = (port: number): ReadonlyArray<Form> => {
  const [base] = combinations(port)
  return base === undefined
    ? []
    : headers.flatMap((header) => choices(port, header, Infinity).map((choice) => ({ ...base, [header]: choice })))
}

describe("requests to a port", () => {
  it.scopedLive(
    "are accepted with valid headers only, and refused before the body is read",
    () =>
      Effect.gen(function* () {
        let done = 0
        const does = <A>(value: A) =>
          Effect.sync(() => {
            done += 1
            return value
          })
        const world = yield* worldOf({
          start: () => does(unknownId),
          stopAllBy: () => does([]),
          resume: () => Effect.asVoid(does(0)),
          stop: () => Effect.zipRight(does(0), new errors.JobNotFound({ jobId: unknownId }))
        })
        const { port } = world
        const forms = [...combinations(port), ...variations(port)]

        const check = ({ method, path }: Route, form: Form) =>
          Effect.gen(function* () {
            // Only what has a body has a type, and probes and browsers have no token.
            const relevant = headers.filter((header) =>
              header === "content-type"
                ? method === "POST"
                : header !== "authorization" || !["/healthz", "/docs", "/openapi.json"].includes(path)
            )
            const bad = relevant.find((header) => form[header].bad)
            const sent = Object.fromEntries(
              relevant.flatMap((header) => {
                const { value } = form[header]
                return value === undefined ? [] : [[header, value]]
              })
            )
            const before = done
            const about = { method, path, ...sent }
            if (bad === undefined) {
              const body = method === "POST" ? { body: JSON.stringify(config) } : {}
              const { statusCode } = yield* requests.open({ port }, { method, path, headers: sent, ...body })
              expect({ ...about, refused: [401, 403, 415].includes(statusCode ?? 0) }).toEqual({
                ...about,
                refused: false
              })
            } else {
              // The body is announced, and never sent.
              const announced = method === "POST" ? { "content-length": "10" } : {}
              const answer = yield* requests.send(
                { port },
                { method, path, headers: { ...sent, ...announced }, unfinished: true }
              )
              const [status, reason] = refusal[bad]
              expect({ ...about, status: answer.status, json: answer.json }).toMatchObject({
                ...about,
                status,
                json: { _tag: "RequestRefused", reason }
              })
              expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([])
              expect(done).toBe(before)
            }
          }).pipe(Effect.scoped)

        for (const route of routes) for (const form of forms) yield* check(route, form)
        expect(done).toBeGreaterThan(0)
      }),
    // Thousands of requests.
    300_000
  )
})
