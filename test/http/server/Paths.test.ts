/** A path that leaves a part out, or spells one in another way, asks for nothing: it is never the path of something else. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { unknownId } from "../../support/jobs.js"
import * as requests from "../requests.js"
import { worldOf } from "../stub.js"

const json = { "content-type": "application/json" }
const everything = JSON.stringify({ all: true })

/** The ways of an unset variable in `/jobs/$JOB/stop`, and those of somebody who looks for a way around. */
const parts = ["", "/", ".", "..", "%2F", "%2f", "%2e", "%2e%2e", "%00", "%20", "*", ":id", "stop", "x".repeat(101)]

const posts = parts.flatMap((part) => [`/api/v1/jobs/${part}/stop`, `/api/v1/jobs/${part}/resume`])

const gets = [
  ...parts.flatMap((part) => [`/api/v1/jobs/${part}/events`, `/api/v1/jobs/${part}/logs`, `/api/v1/jobs/${part}/x`]),
  ...parts.map((part) => `/api/v1/jobs/${part}`),
  "//api/v1/jobs",
  "/api//v1/jobs",
  "/api/v1//jobs",
  "/api/v1/jobs//",
  "/api/v1/./jobs",
  "/api/v1/x/../jobs",
  `/api/v1/jobs/${unknownId}/`,
  "/api/v1/events/",
  "/healthz/",
  "//healthz",
  "/metrics/",
  "/docs/",
  "/openapi.json/"
]

const sent: ReadonlyArray<requests.Sent> = [
  ...posts.map((path) => ({ method: "POST", path })),
  ...posts.map((path) => ({ method: "POST", path, headers: json, body: everything })),
  ...["/api/v1/jobs/stop/", "/api/v1//jobs/stop", "/api/v1/jobs/./stop", "/api/v1/jobs%2Fstop"].map((path) => ({
    method: "POST",
    path,
    headers: json,
    body: everything
  })),
  ...["/api/v1/shutdown/", "//api/v1/shutdown", "/api/v1//shutdown", "/api/v1/jobs/../shutdown"].map((path) => ({
    method: "POST",
    path
  })),
  ...["/api/v1/jobs/", "/api/v1//jobs"].map((path) => ({ method: "POST", path, headers: json, body: "{}" })),
  ...gets.map((path) => ({ path }))
]

it.scopedLive("paths > an empty or unknown segment is 400 or 404 and never another route", () =>
  Effect.gen(function* () {
    const done: Array<string> = []
    const does = <A>(what: string, answer: A) => Effect.sync(() => (done.push(what), answer))
    const world = yield* worldOf({
      start: () => does("start", unknownId),
      stop: () => Effect.zipRight(does("stop", undefined), Effect.die("stopped")),
      stopAllBy: () => does("stopAllBy", []),
      resume: () => does("resume", undefined)
    })
    const wrong: Array<string> = []
    for (const request of sent) {
      const opened = requests.open({ socketPath: world.socket }, request)
      // Its head only: what it is not the path of may be a stream.
      const status = yield* Effect.scoped(Effect.map(opened, ({ statusCode }) => statusCode))
      if (status !== 400 && status !== 404) wrong.push(`${status} ${request.method ?? "GET"} ${request.path}`)
    }
    expect(wrong).toEqual([])
    expect(done).toEqual([])
  })
)

it.scopedLive("POST /jobs/stop > requires the body { all: true }", () =>
  Effect.gen(function* () {
    let stopped = 0
    const world = yield* worldOf({ stopAllBy: () => Effect.sync(() => ((stopped += 1), [])) })
    const stop = (body: string) => world.send({ method: "POST", path: "/api/v1/jobs/stop", headers: json, body })
    const without = yield* world.send({ method: "POST", path: "/api/v1/jobs/stop" })
    expect(without).toMatchObject({ status: 400, json: { message: expect.stringContaining('{ "all": true }') } })
    const bad = [
      "",
      "null",
      "{",
      "[]",
      "{}",
      '{"all":false}',
      '{"all":"true"}',
      '{"all":true,"kind":""}',
      '{"kind":"tasks"}'
    ]
    for (const body of [...bad, '{"all":true,"kinds":"tasks"}']) {
      expect({ body, status: (yield* stop(body)).status }).toEqual({ body, status: 400 })
    }
    expect(yield* stop('{"all":true,"kind":"mail"}')).toMatchObject({ status: 404, json: { _tag: "NoSuchKind" } })
    expect(stopped).toBe(0)
    expect(yield* stop('{"all":true}')).toMatchObject({ status: 200, json: [] })
    expect(yield* stop('{"all":true,"kind":"tasks"}')).toMatchObject({ status: 200, json: [] })
    expect(stopped).toBe(2)
    expect(yield* world.bySocket.stopAll).toEqual([])
    expect(stopped).toBe(3)
  })
)
