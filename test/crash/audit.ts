/**
 * Looks through a database that a crash has left behind for anything that must never be in one, also what only orchestrators
 * that number their events can be asked for: `payload` is `{ attempt, n }` with n = 1, 2, 3 … within the attempt.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Schema } from "effect"
import * as Audit from "../../src/store/Audit.js"

const misnumbered = `
  WITH numbered AS (
    SELECT job_id, seq, type LIKE 'job.%' AS lifecycle, payload,
      1 + sum(type = 'job.resumed') OVER (PARTITION BY job_id ORDER BY seq) AS attempt
    FROM charlotte_events
  )
  SELECT DISTINCT job_id || ' in attempt ' || attempt AS found FROM
    (SELECT job_id, attempt, payload ->> 'attempt' AS by, payload ->> 'n' AS n,
      row_number() OVER (PARTITION BY job_id, attempt ORDER BY seq) AS position
     FROM numbered WHERE NOT lifecycle)
  WHERE by <> attempt OR n <> position`

const Found = Schema.Array(Schema.Struct({ found: Schema.String }))

/** Whatever is wrong with the database, one sentence each. */
export const violations = ({ maxJobs }: { readonly maxJobs: number }) =>
  Effect.gen(function* () {
    const { jobs, violations } = yield* Audit.look({ maxJobs })
    const sql = yield* SqlClient.SqlClient
    const rows = jobs === 0 ? [] : yield* Effect.flatMap(sql.unsafe(misnumbered), Schema.decodeUnknown(Found))
    return [
      ...violations.map(({ found, wrong }) => `${found}: ${wrong}`),
      ...rows.map(({ found }) => `${found}: emitted events are not 1..n within their attempt`)
    ]
  })
