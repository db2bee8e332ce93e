/**
 * Reads what a new version of an application has to decode: the recorded configurations, signals, events, results and errors. One
 * read-only transaction reads all of it, also beside a live manager.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { StoreError } from "../domain/errors.js"
import { openSession } from "./openSession.js"
import type { Connection } from "./sql/Dialect.js"
import { storeError } from "./sql/mapSqlError.js"
import { execute, query } from "./sql/statements.js"

/** A recorded value, as JSON text. */
export interface Recorded {
  readonly kind: string
  readonly job: string
  /** Whether the job has not ended. */
  readonly isLive: boolean
  readonly of: "config" | "parked" | "signal" | "event" | "result" | "error"
  /** The name of the signal, or the type of the event. */
  readonly name: string
  readonly json: string
}

const pageSize = 1_000
const operation = "read the records"

const selectRuns = query(
  Schema.Struct({
    id: Schema.String,
    kind: Schema.String,
    live: Schema.Number,
    config: Schema.String,
    parked: Schema.NullOr(Schema.String),
    result: Schema.NullOr(Schema.String),
    error: Schema.NullOr(Schema.String)
  })
)

const Part = Schema.Struct({
  job_id: Schema.String,
  seq: Schema.Number,
  kind: Schema.String,
  live: Schema.Number,
  name: Schema.String,
  payload: Schema.NullOr(Schema.String)
})
const selectParts = query(Part)

const isLive = "CASE WHEN r.ended_at IS NULL THEN 1 ELSE 0 END AS live"

const runs = (connection: Connection, except: string, after: string) =>
  selectRuns(
    connection,
    `SELECT r.id, r.kind, ${isLive}, r.config, r.parked, r.result, r.error FROM charlotte_runs r
     WHERE r.id > ? AND r.kind <> ? AND r.pruned = 0 ORDER BY r.id LIMIT ${pageSize}`,
    [after, except]
  )

/** The signals or events of jobs, without those of the manager. */
const parts = (
  connection: Connection,
  of: "signal" | "event",
  except: string,
  after: Pick<typeof Part.Type, "job_id" | "seq"> = { job_id: "", seq: 0 }
) => {
  const [table, name, own] =
    of === "signal" ? ["charlotte_signals", "name", "charlotte.%"] : ["charlotte_events", "type", "job.%"]
  return selectParts(
    connection,
    `SELECT p.job_id, p.seq, r.kind, ${isLive}, p.${name} AS name, p.payload
     FROM ${table} p JOIN charlotte_runs r ON r.id = p.job_id
     WHERE (p.job_id, p.seq) > (?, ?) AND p.${name} NOT LIKE '${own}' AND r.kind <> ? AND r.pruned = 0
     ORDER BY p.job_id, p.seq LIMIT ${pageSize}`,
    [after.job_id, after.seq, except]
  )
}

const selectSteps = query(Schema.Struct({ steps: Schema.Number }))

type RunRow = Effect.Effect.Success<ReturnType<typeof runs>>[number]

const ofRun = ({ config, error, id: job, kind, live, parked, result }: RunRow) => {
  const recorded = (of: Recorded["of"], json: string | null): ReadonlyArray<Recorded> =>
    json === null ? [] : [{ kind, job, isLive: live === 1, of, name: "", json }]
  return [
    ...recorded("config", config),
    ...recorded("parked", parked),
    ...recorded("result", result),
    ...recorded("error", error)
  ]
}

const ofPart =
  (of: "signal" | "event") =>
  ({ job_id: job, kind, live, name, payload }: typeof Part.Type): Recorded => ({
    kind,
    job,
    isLive: live === 1,
    of,
    name,
    json: payload ?? "null"
  })

/** Reads page after page, each after the last row of the one before. */
const eachPage = <Row, E>(
  read: (after: Row | undefined) => Effect.Effect<ReadonlyArray<Row>, SqlError>,
  use: (page: ReadonlyArray<Row>) => Effect.Effect<void, E>
) =>
  Effect.gen(function* () {
    for (let after: Row | undefined; ;) {
      const page = yield* read(after)
      yield* use(page)
      after = page.at(-1)
      if (after === undefined || page.length < pageSize) return
    }
  })

/** Passes the records of all kinds but `except` on, page by page. Returns how many steps are recorded. */
export const read = <E>(
  except: string,
  use: (page: ReadonlyArray<Recorded>) => Effect.Effect<void, E>
): Effect.Effect<number, StoreError | E, SqlClient> =>
  Effect.gen(function* () {
    const session = yield* openSession
    const all = (connection: Connection) =>
      Effect.gen(function* () {
        yield* eachPage(
          (after?: RunRow) => runs(connection, except, after?.id ?? ""),
          (page) => use(page.flatMap(ofRun))
        )
        for (const of of ["signal", "event"] as const) {
          yield* eachPage(
            (after?: typeof Part.Type) => parts(connection, of, except, after),
            (page) => use(page.map(ofPart(of)))
          )
        }
        const [counted] = yield* selectSteps(
          connection,
          "SELECT count(*) AS steps FROM charlotte_steps s JOIN charlotte_runs r ON r.id = s.job_id WHERE r.kind <> ?",
          [except]
        )
        return counted?.steps ?? 0
      })
    const begin = session.dialect.name === "postgres" ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN"
    const counted = session.reserve((connection) =>
      Effect.acquireUseRelease(
        execute(connection, begin),
        () => all(connection),
        () => Effect.ignore(execute(connection, "ROLLBACK"))
      )
    )
    return yield* Effect.mapError(counted, (error) =>
      error instanceof SqlError ? storeError(operation)(error) : error
    )
  })
