/**
 * What a database holds of jobs and events, to be compared with what was told.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { JobId, RunStatus } from "charlotte"
import { Effect, type ParseResult, Schema } from "effect"

const runs = Schema.Array(
  Schema.Struct({
    id: JobId.JobId,
    status: RunStatus.RunStatus,
    attempt: Schema.Int,
    /** The number of its last event. */
    seq: Schema.Int,
    /** It was told to stop. */
    stopping: Schema.Int
  })
)

const events = Schema.Array(
  Schema.Struct({
    cursor: Schema.Int,
    id: JobId.JobId,
    seq: Schema.Int,
    type: Schema.String,
    /** The cursor of the event before it, of whatever job. */
    previous: Schema.Int,
    /** Of emitted events: which attempt emitted it, as its how manieth. */
    attempt: Schema.NullOr(Schema.Int),
    n: Schema.NullOr(Schema.Int)
  })
)

export type Run = (typeof runs.Type)[number]
export type Event = (typeof events.Type)[number]

export interface State {
  readonly runs: ReadonlyMap<JobId.JobId, Run>
  /** By cursor. */
  readonly events: ReadonlyMap<number, Event>
  /** By job and number. */
  readonly event: (id: JobId.JobId, seq: number) => Event | undefined
  /** How many events of that attempt there are. */
  readonly emitted: (id: JobId.JobId, attempt: number) => number
}

export const empty: State = { runs: new Map(), events: new Map(), event: () => undefined, emitted: () => 0 }

/** What is there; nothing, when the crash came before the tables. */
export const read: Effect.Effect<State, SqlError | ParseResult.ParseError, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    if ((yield* sql.unsafe("SELECT 1 FROM sqlite_master WHERE name = 'charlotte_runs'")).length === 0) return empty
    const allRuns = yield* Effect.flatMap(
      sql.unsafe(`
      SELECT id, status, attempt, stopping_at IS NOT NULL AS stopping,
        (SELECT max(seq) FROM charlotte_events WHERE job_id = id) AS seq
      FROM charlotte_runs`),
      Schema.decodeUnknown(runs)
    )
    const allEvents = yield* Effect.flatMap(
      sql.unsafe(`
      SELECT cursor, job_id AS id, seq, type, lag(cursor, 1, 0) OVER (ORDER BY cursor) AS previous,
        CASE WHEN type NOT LIKE 'job.%' THEN payload ->> 'attempt' END AS attempt, payload ->> 'n' AS n
      FROM charlotte_events ORDER BY cursor`),
      Schema.decodeUnknown(events)
    )
    const byNumber = new Map(allEvents.map((event) => [`${event.id} ${event.seq}`, event]))
    const emitted = new Map(allEvents.map(({ attempt, id, n }) => [`${id} ${attempt}`, n ?? 0]))
    return {
      runs: new Map(allRuns.map((run) => [run.id, run])),
      events: new Map(allEvents.map((event) => [event.cursor, event])),
      event: (id, seq) => byNumber.get(`${id} ${seq}`),
      emitted: (id, attempt) => emitted.get(`${id} ${attempt}`) ?? 0
    }
  }
)
