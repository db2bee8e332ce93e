/**
 * Audits a database for violated invariants; an intact database has none, however its writers ended. The audit only reads, in slices
 * of jobs, so the database may be in use and of any size.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as audit from "./sql/audit.js"
import { openSession } from "./openSession.js"
import * as statements from "./sql/statements.js"

export type { Remedy } from "./sql/audit.js"

export interface Violation {
  /** The violated invariant, as a clause about `found`. */
  readonly wrong: string
  /** The affected record: usually a job id and further detail. */
  readonly found: string
  readonly remedy: audit.Remedy
}

export interface Report {
  readonly jobs: number
  readonly events: number
  /** The violations, at most `maxPerRule` for each rule. */
  readonly violations: ReadonlyArray<Violation>
}

export interface Options {
  /** The configured limit of concurrent jobs, if known. */
  readonly maxJobs?: number | undefined
  /** How many jobs a statement reads. */
  readonly sliceSize?: number
  /** How many violations are reported per rule. */
  readonly maxPerRule?: number
}

const operation = "audit the database"

const findings = statements.query(Schema.Struct({ found: Schema.String }))
const slices = statements.query(Schema.Struct({ last: Schema.NullOr(Schema.String), jobs: Schema.Int }))
const counts = statements.query(Schema.Struct({ events: Schema.Int }))
const tables = statements.query(Schema.Struct({ name: Schema.String }))

export const run = (options: Options = {}): Effect.Effect<Report, StoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { maxJobs, maxPerRule = 10, sliceSize = 256 } = options
    const session = yield* openSession
    const violations: Array<Violation> = []
    const total = { jobs: 0, events: 0, violations }

    const check = ({ remedy, sql, wrong }: audit.Rule, parameters: string, params: ReadonlyArray<statements.Value>) =>
      Effect.gen(function* () {
        const remaining = maxPerRule - violations.filter((violation) => violation.wrong === wrong).length
        if (remaining <= 0) return
        const rows = yield* session.read(operation, (connection) =>
          findings(connection, `${parameters} SELECT found FROM (${sql}) AS violations LIMIT ${remaining}`, params)
        )
        violations.push(...rows.map(({ found }) => ({ wrong, found, remedy })))
      })

    const dialect = yield* session.read(operation, ({ dialect }) => Effect.succeed(dialect))
    // A crash may precede the first migration.
    const [runs] = yield* session.read(operation, (connection) =>
      tables(connection, connection.dialect.tableNamed("charlotte_runs"), [])
    )
    if (runs === undefined) return total

    for (let after = ""; ;) {
      const [slice] = yield* session.read(operation, (connection) =>
        slices(connection, audit.nextSlice, [after, sliceSize])
      )
      if (slice === undefined || slice.last === null) break
      const { jobs, last } = slice
      for (const rule of audit.jobRules(dialect)) yield* check(rule, audit.parameters.slice, [after, last])
      const [counted] = yield* session.read(operation, (connection) =>
        counts(connection, audit.countEvents, [after, last])
      )
      total.jobs += jobs
      total.events += counted?.events ?? 0
      after = last
    }
    for (const rule of audit.databaseRules(dialect)) yield* check(rule, audit.parameters.none, [])
    if (maxJobs !== undefined) yield* check(audit.capacityRule, audit.parameters.capacity, [maxJobs])
    return total
  })
