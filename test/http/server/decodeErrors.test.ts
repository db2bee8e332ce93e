import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { unknownId } from "../../support/jobs.js"
import * as World from "../world.js"

/** What is wrong, and what the message says of it: one line for each field. */
const cases: ReadonlyArray<readonly [path: string, message: string]> = [
  ["/jobs?limit=0", 'limit: expected a whole number from 1 to 1000, got "0"'],
  ["/jobs?limit=x", 'limit: expected a whole number from 1 to 1000, got "x"'],
  [
    "/jobs?status=done",
    'status: expected one of pending, running, interrupted, parked, completed, failed, cancelled, got "done"'
  ],
  ["/jobs?label=team:web", 'label.0: expected KEY=VALUE, got "team:web"'],
  ["/jobs?label=a%3Db&label=%3Dc", 'label.1: expected KEY=VALUE, got "=c"'],
  ["/jobs?before=1", 'before: expected a job id: 26 characters such as 01ARZ3NDEKTSV4RRFFQ69G5FAV, got "1"'],
  ["/jobs/x", 'id: expected a job id: 26 characters such as 01ARZ3NDEKTSV4RRFFQ69G5FAV, got "x"'],
  ["/events?after=1e3", 'after: expected a whole number, 0 or more, or "latest", got "1e3"'],
  [`/jobs/${unknownId}/events?after=-1`, 'after: expected a whole number, 0 or more, got "-1"'],
  [`/jobs/${unknownId}/logs?follow=yes`, 'follow: expected true or false, got "yes"'],
  [
    `/jobs/${unknownId}/logs?file=${"x".repeat(200)}&from=${"9".repeat(200)}`,
    `from: expected a whole number, 0 or more, got "${"9".repeat(79)}…`
  ]
]

describe("decode errors of parameters", () => {
  for (const [path, message] of cases)
    it.scopedLive(`${path.slice(0, 60)} names the expectation in one line`, () =>
      Effect.gen(function* () {
        const world = yield* World.make()
        const answer = yield* world.send({ path: `/api/v1${path}` })
        expect(answer).toMatchObject({ status: 400, json: { _tag: "HttpApiDecodeError", message } })
      })
    )

  it.scopedLive("an invalid body of POST /jobs/stop names the required body", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const headers = { "content-type": "application/json" }
      const stop = (body: string) => world.send({ method: "POST", path: "/api/v1/jobs/stop", headers, body })
      expect(yield* stop('{"all":true,"kind":"email"}')).toMatchObject({
        status: 404,
        json: { _tag: "NoSuchKind", message: 'this server has no jobs of kind "email"; it has tasks' }
      })
      expect(yield* stop("{}")).toMatchObject({
        status: 400,
        json: { message: 'to stop all jobs, send the body { "all": true }' }
      })
    })
  )
})
