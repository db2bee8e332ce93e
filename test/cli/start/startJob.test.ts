import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import * as startJob from "../../../src/cli/start/startJob.js"
import { JobId } from "../../../src/domain/JobId.js"
import type { StartOptions } from "../../../src/domain/StartOptions.js"
import { Job, JobKey } from "../../../src/http/contract/Api.js"

const id = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")

const start = (options: StartOptions, createdAt: DateTime.Utc) =>
  startJob.start(
    {
      start: () => Effect.succeed(id),
      get: () =>
        Effect.succeed(
          new Job({
            id,
            kind: "tasks",
            status: "pending",
            attempt: 1,
            config: {},
            labels: {},
            createdAt,
            units: [],
            tasks: []
          })
        )
    },
    { tasksDir: "tasks", targetBranch: "main", repoPath: "/repo" },
    Option.some(options)
  )

describe("start of a job", () => {
  const createdAt = DateTime.unsafeMake("1969-12-31T23:59:00Z")

  it.effect("is of a new one on a server whose clock is behind, unless the options can find an earlier one", () =>
    Effect.gen(function* () {
      expect(yield* start({ whenFull: "queue" }, createdAt)).toMatchObject({ id, isEarlier: false })
      expect(yield* start({ key: "k", whenKeyTaken: "queue" }, createdAt)).toMatchObject({ isEarlier: false })
      expect(yield* start({ idempotencyKey: "k" }, createdAt)).toMatchObject({ isEarlier: true })
      expect(yield* start({ key: "k", whenKeyTaken: "attach" }, createdAt)).toMatchObject({ isEarlier: true })
    })
  )
})

describe("the notice about a job that waits for its keys", () => {
  it("names those that other jobs hold", () => {
    const holder = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAA")
    const now = DateTime.unsafeMake(0)
    const job = new Job({
      ...{ id, kind: "order", status: "pending", waitsFor: "key", attempt: 1, config: {}, labels: {}, createdAt: now },
      ...{ units: [], tasks: [] },
      keys: [
        new JobKey({ key: "a", origin: "start", holder: id, holderStatus: "pending" }),
        new JobKey({ key: "b", origin: "start", holder, holderStatus: "running" })
      ]
    })
    const view = { now, zone: DateTime.zoneUnsafeMakeNamed("UTC") }
    expect(startJob.notice({ id, isEarlier: false, job: Option.some(job) }, view)).toEqual(
      Option.some(`job ${id} waits for the key b (held by job ${holder}, running)`)
    )
  })
})
