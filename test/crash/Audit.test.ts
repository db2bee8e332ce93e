import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobManager } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect } from "effect"
import { databaseFile, life, startJob } from "../manager/lives.js"
import * as Audit from "./audit.js"

/** What the audit finds after one job has completed and another one was interrupted, and then somebody did `damage`. */
const audited = (damage: string, maxJobs = 1) =>
  Effect.gen(function* () {
    const filename = yield* databaseFile
    yield* Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
      const id = yield* startJob
      const emissions = [1, 2, 3].map((n) => Step.emit({ type: "step", payload: { attempt: 1, n } }))
      yield* send(id, ...emissions, Step.succeed(1))
      yield* manager.await(id)
      yield* startJob
    }).pipe(life(filename))
    return yield* Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(damage)
      const found = yield* Audit.violations({ maxJobs })
      return found.map((violation) => violation.slice(0, violation.indexOf(":")))
    }).pipe(Effect.provide(Database.layer({ filename })))
  })

const damages = {
  "SELECT 1": [],
  "DELETE FROM charlotte_events WHERE seq = 3": [
    "events are not 1..n",
    "emitted events are not 1..n within their attempt"
  ],
  "DELETE FROM charlotte_events WHERE type = 'job.completed'": [
    "a terminal status without exactly one terminal event, or the other way round",
    "the status is not what the last lifecycle event says"
  ],
  "DELETE FROM charlotte_events WHERE type = 'job.interrupted'": [
    "the status is not what the last lifecycle event says"
  ],
  "INSERT INTO charlotte_events (job_id, seq, at, type) SELECT job_id, 6, 0, 'job.stopping' FROM charlotte_events WHERE seq = 5":
    [
      "something follows the terminal event",
      "a lifecycle event follows one that it may not follow",
      "the status is not what the last lifecycle event says"
    ],
  "UPDATE charlotte_runs SET status = 'running', attempt = 2 WHERE status = 'interrupted'": [
    "the status is not what the last lifecycle event says",
    "the attempt is not one more than the resumptions"
  ]
}

describe("the audit", () => {
  for (const [damage, violations] of Object.entries(damages)) {
    it.scopedLive(`finds what is wrong after ${damage}`, () =>
      Effect.map(audited(damage), (found) => expect(found).toEqual(violations))
    )
  }

  it.scopedLive("finds that more jobs run than may", () =>
    Effect.map(
      audited("UPDATE charlotte_runs SET status = 'running', attempt = 2 WHERE status = 'interrupted'", 0),
      (found) => expect(found).toContain("more jobs run than may")
    )
  )
})
