/**
 * Looks through a database for anything that must never be in one: whatever happened to the processes that wrote it, a sound
 * one gives nothing. It only reads, so the database may be in use, and the jobs are read in slices, however many there are.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import * as audit from "./sql/audit.js"
import * as Session from "./sql/Session.js"

export type { Remedy } from "./sql/audit.js"

export interface Violation {
  /** What is wrong, as the beginning of a sentence. */
  readonly wrong: string
  /** Where: the id of a job, mostly, and what tells more. */
  readonly found: string
  readonly remedy: audit.Remedy
}

export interface Report {
  readonly jobs: number
  readonly events: number
  /** Of each kind a few, however many there are. */
  readonly violations: ReadonlyArray<Violation>
}

export interface Options {
  /** How many jobs may run at once, if that is known. */
  readonly maxJobs?: number | undefined
  /** How many jobs are looked at with one statement. */
  readonly sliceSize?: number
  /** How many violations of a kind are told. */
  readonly most?: number
}

const operation = "audit the database"

const findings = Session.query(Schema.Struct({ found: Schema.String }))
const slices = Session.query(Schema.Struct({ last: Schema.NullOr(Schema.String), jobs: Schema.Int }))
const counts = Session.query(Schema.Struct({ events: Schema.Int }))
const tables = Session.query(Schema.Struct({ name: Schema.String }))

export const look = (options: Options = {}): Effect.Effect<Report, StoreError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { maxJobs, most = 10, sliceSize = 256 } = options
    const session = yield* Session.make
    const violations: Array<Violation> = []
    const total = { jobs: 0, events: 0, violations }

    const ask = ({ remedy, sql, wrong }: audit.Rule, given: string, params: ReadonlyArray<Session.Value>) =>
      Effect.gen(function* () {
        const room = most - violations.filter((violation) => violation.wrong === wrong).length
        if (room <= 0) return
        const rows = yield* session.read(operation, (connection) =>
          findings(connection, `${given} SELECT found FROM (${sql}) LIMIT ${room}`, params)
        )
        violations.push(...rows.map(({ found }) => ({ wrong, found, remedy })))
      })

    // A crash may come before the tables.
    const [runs] = yield* session.read(operation, (connection) =>
      tables(connection, "SELECT name FROM sqlite_master WHERE name = 'charlotte_runs'", [])
    )
    if (runs === undefined) return total

    for (let after = ""; ;) {
      const [found] = yield* session.read(operation, (connection) =>
        slices(connection, audit.nextSlice, [after, sliceSize])
      )
      if (found === undefined || found.last === null) break
      const { jobs, last } = found
      for (const rule of audit.ofJobs) yield* ask(rule, audit.given.slice, [after, last])
      const [counted] = yield* session.read(operation, (connection) =>
        counts(connection, audit.countEvents, [after, last])
      )
      total.jobs += jobs
      total.events += counted?.events ?? 0
      after = last
    }
    for (const rule of audit.ofDatabase) yield* ask(rule, audit.given.nothing, [])
    if (maxJobs !== undefined) yield* ask(audit.ofCapacity, audit.given.places, [maxJobs])
    return total
  })
