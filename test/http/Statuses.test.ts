/** Every error has a status of its own, wherever it comes from, and its body is the error as it is encoded, with its sentence. */
import { describe, expect, it } from "@effect/vitest"
import { errors } from "charlotte"
import { Duration, Effect, Schema } from "effect"
import { config, unknownId as jobId } from "../support/jobs.js"
import type * as requests from "./requests.js"
import { type Manager, worldOf } from "./stub.js"

const storeError = (reason: errors.StoreError["reason"]) =>
  new errors.StoreError({ operation: "start a job", reason, cause: new Error("the disk") })

const elapsed = Duration.seconds(6)
const issues = [
  { path: ["repoPath"], message: "must be an absolute path" },
  { path: ["concurrency"], message: "must be a whole number, 1 or more" }
]

const post = (path: string, body?: unknown): requests.Sent => ({
  method: "POST",
  path: `/api/v1${path}`,
  ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
})

const start = (error: Effect.Effect.Error<ReturnType<Manager["start"]>>) => ({
  error,
  methods: { start: () => Effect.fail(error) },
  sent: post("/jobs", config)
})
const stop = (error: Effect.Effect.Error<ReturnType<Manager["stop"]>>) => ({
  error,
  methods: { stop: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/stop`)
})
const resume = (error: Effect.Effect.Error<ReturnType<Manager["resume"]>>) => ({
  error,
  methods: { resume: () => Effect.fail(error) },
  sent: post(`/jobs/${jobId}/resume`)
})

const cases = [
  [422, start(new errors.InvalidJobConfig({ issues }))],
  [409, start(new errors.JobConflict({ jobId, key: "/repo main" }))],
  [429, start(new errors.MaxJobsReached({ maxJobs: 2 }))],
  [503, start(new errors.ShuttingDown())],
  [507, start(storeError("full"))],
  [503, start(storeError("busy"))],
  [503, start(storeError("closed"))],
  [500, start(storeError("readonly"))],
  [500, start(storeError("corrupt"))],
  [500, start(storeError("replaced"))],
  [500, start(storeError("version"))],
  [500, start(storeError("other"))],
  [404, stop(new errors.JobNotFound({ jobId }))],
  [504, stop(new errors.StopTimedOut({ jobId, elapsed }))],
  [507, stop(storeError("full"))],
  [404, resume(new errors.JobNotFound({ jobId }))],
  [409, resume(new errors.NotResumable({ jobId, status: "completed" }))],
  [409, resume(new errors.JobConflict({ jobId, key: "/repo main" }))],
  [429, resume(new errors.MaxJobsReached({ maxJobs: 2 }))],
  [503, resume(new errors.ShuttingDown())]
] as const

const encoded = Schema.encodeUnknownSync(
  Schema.Union(...Object.values(errors)).pipe(Schema.annotations({ identifier: "an error" }))
)

describe("an error of the domain has its status", () => {
  for (const [status, { error, methods, sent }] of cases) {
    const reason = error._tag === "StoreError" ? ` (${error.reason})` : ""
    it.scopedLive(`${status} for ${error._tag}${reason} of ${sent.path}`, () =>
      Effect.gen(function* () {
        const world = yield* worldOf(methods)
        const answer = yield* world.send(sent)
        expect(answer.status).toBe(status)
        expect(answer.json).toEqual({ ...encoded(error), message: error.message })
        expect(answer.text).not.toMatch(/ at |\.ts:|node_modules/)
        expect("retry-after" in answer.headers).toBe(status === 429 || status === 503)

        // The typed client gives back what the manager failed with.
        const call: Effect.Effect<unknown, unknown> = sent.path.endsWith("stop")
          ? world.byPort.stop(jobId)
          : sent.path.endsWith("resume")
            ? world.byPort.resume(jobId)
            : world.byPort.start(config)
        const failure = yield* Effect.flip(call)
        expect(failure).toBeInstanceOf(error.constructor)
        expect(failure).toMatchObject({ message: error.message })
      })
    )
  }
})
