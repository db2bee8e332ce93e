/**
 * What a database holds, for comparison with what was said and with what is in the repository.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { JobId, RunStatus } from "charlotte"
import { Effect, type ParseResult, Schema } from "effect"
import * as World from "./World.js"

const Sort = Schema.Literal("merging", "brief", "failing", "endless", "stubborn")

const jobs = Schema.Array(
  Schema.Struct({
    id: JobId.JobId,
    status: RunStatus.RunStatus,
    attempt: Schema.Int,
    stopping: Schema.Int,
    sort: Sort,
    target: Schema.String,
    error: Schema.NullOr(Schema.String)
  })
)

const tasks = Schema.Array(Schema.Struct({ id: JobId.JobId, name: Schema.String }))

const events = Schema.Array(
  Schema.Struct({
    cursor: Schema.Int,
    id: JobId.JobId,
    seq: Schema.Int,
    type: Schema.String,
    /** The cursor of the event before it, of whatever job. */
    previous: Schema.Int
  })
)

export type Job = (typeof jobs.Type)[number] & {
  /** The tasks that are done, with how often an agent was called for each. */
  readonly done: ReadonlyArray<{ readonly task: string; readonly calls: number }>
}

export interface State {
  readonly jobs: ReadonlyMap<JobId.JobId, Job>
  /** By cursor. */
  readonly events: ReadonlyMap<number, (typeof events.Type)[number]>
}

export const empty: State = { jobs: new Map(), events: new Map() }

/** What is there; nothing, when the crash came before the tables. */
export const read = (
  world: World.World
): Effect.Effect<State, SqlError | ParseResult.ParseError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    if ((yield* sql.unsafe("SELECT 1 FROM sqlite_master WHERE name = 'charlotte_runs'")).length === 0) return empty
    const ask = <A, I>(schema: Schema.Schema<A, I>, query: string) =>
      Effect.flatMap(sql.unsafe(query), Schema.decodeUnknown(schema))
    const allJobs = yield* ask(
      jobs,
      `SELECT id, status, attempt, stopping_at IS NOT NULL AS stopping, labels ->> 'sort' AS sort,
         config ->> 'targetBranch' AS target, error ->> 'error' AS error FROM charlotte_runs`
    )
    // A title is "Task a1", and its agent leaves the trace "agent-a1".
    const done = yield* ask(
      tasks,
      "SELECT job_id AS id, substr(title, 6) AS name FROM charlotte_tasks WHERE state = 'completed'"
    )
    const allEvents = yield* ask(
      events,
      `SELECT cursor, job_id AS id, seq, type, lag(cursor, 1, 0) OVER (ORDER BY cursor) AS previous
       FROM charlotte_events ORDER BY cursor`
    )
    const calls = World.calls(world)
    return {
      jobs: new Map(
        allJobs.map((job) => {
          const own = done.filter(({ id }) => id === job.id)
          const count = (name: string) => calls.filter((call) => call === `${job.id} agent-${name}`).length
          return [job.id, { ...job, done: own.map(({ name }) => ({ task: name, calls: count(name) })) }]
        })
      ),
      events: new Map(allEvents.map((event) => [event.cursor, event]))
    }
  })
