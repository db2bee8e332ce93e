/**
 * What is looked at after each kill: whether all that was said is so, and whether what must not be is not.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Database, JobId, RunStatus } from "charlotte"
import { Effect, type ParseResult, Schema } from "effect"
import * as Audit from "../../../src/store/Audit.js"
import { copied } from "../Inspection.js"
import type { Said } from "./Said.js"
import { maxJobs } from "./Work.js"

const Run = Schema.Struct({
  id: JobId.JobId,
  status: RunStatus.RunStatus,
  manner: Schema.String,
  order_id: Schema.NullOr(Schema.Int),
  told: Schema.NullOr(Schema.Int),
  error: Schema.NullOr(Schema.String),
  /** The cursor of the event with which it has begun to wait for a permit, first of all. */
  queued: Schema.NullOr(Schema.Int),
  /** The cursor of the event with which it waited no longer. */
  left: Schema.NullOr(Schema.Int),
  started: Schema.NullOr(Schema.Int),
  priority: Schema.Int
})

type Run = typeof Run.Type

export interface Found {
  readonly runs: ReadonlyArray<Run>
  readonly events: number
  readonly wrong: ReadonlyArray<string>
}

const event = (types: string, and = "") =>
  `(SELECT min(cursor) FROM charlotte_events e WHERE job_id = r.id AND type IN (${types}) ${and})`

const runs = `
  SELECT id, status, config ->> 'manner' AS manner, config ->> 'order' AS order_id, result ->> 'told' AS told,
    coalesce(error ->> 'error', error ->> 'cause') AS error, priority,
    ${event("'job.queued'", "AND payload ->> 'waitsFor' = 'permit'")} AS queued,
    ${event("'job.started', 'job.failed', 'job.cancelled'")} AS "left", ${event("'job.started'")} AS started
  FROM charlotte_runs r ORDER BY id`

const Orders = Schema.Array(Schema.Struct({ id: Schema.Int, job: Schema.String }))
const Signals = Schema.Array(Schema.Struct({ id: JobId.JobId, name: Schema.String, payload: Schema.Int }))
const Count = Schema.Tuple(Schema.Struct({ events: Schema.Int }))

/**
 * A pending run has begun while another was before it, which was there already when the last one before has begun: after that,
 * the application has looked for the next.
 */
const outOfOrder = (runs: ReadonlyArray<Run>): ReadonlyArray<string> => {
  const plain = runs.filter(({ queued }) => queued !== null)
  const begun = plain.filter(({ started }) => started !== null).sort((a, b) => Number(a.started) - Number(b.started))
  return begun.flatMap((run, i) => {
    const last = Number(begun[i - 1]?.started ?? 0)
    const other = plain.find(
      ({ id, left, priority, queued }) =>
        Number(queued) < last &&
        (left === null || left > Number(run.started)) &&
        (priority > run.priority || (priority === run.priority && id < run.id))
    )
    return other === undefined ? [] : [`${run.id} has begun before ${other.id}, whose turn it was`]
  })
}

/** What was said, and is not so. */
const untrue = (said: ReadonlyArray<Said>, runs: ReadonlyMap<JobId.JobId, Run>, signals: typeof Signals.Type) => {
  const began = new Set<string>()
  const keys = new Map<string, JobId.JobId>()
  return said.flatMap((one): ReadonlyArray<string> => {
    switch (one._tag) {
      case "Wrong":
        return [one.what]
      case "Started": {
        const first = one.idempotencyKey === null ? one.id : (keys.get(one.idempotencyKey) ?? one.id)
        if (one.idempotencyKey !== null) keys.set(one.idempotencyKey, first)
        if (first !== one.id) return [`${one.idempotencyKey} has given ${first} and ${one.id}`]
        return runs.has(one.id) ? [] : [`${one.id} was started, and is not there`]
      }
      case "Committed":
        return runs.get(one.id)?.order_id === one.order ? [] : [`${one.id} was committed, and is not there`]
      case "RolledBack":
        return runs.has(one.id) ? [`${one.id} was rolled back, and is there`] : []
      case "Signalled":
        return signals.some(({ id, payload }) => id === one.id && payload === one.payload)
          ? []
          : [`signal ${one.payload} was sent to ${one.id}, and is not there`]
      case "Ended": {
        const status = runs.get(one.id)?.status
        return status === one.status ? [] : [`${one.id} was ${one.status}, and is ${status}`]
      }
      case "Began": {
        const attempt = `attempt ${one.attempt} of ${one.id}`
        if (began.has(attempt)) return [`${attempt} has begun twice`]
        began.add(attempt)
        return []
      }
    }
  })
}

const read = (
  said: ReadonlyArray<Said>
): Effect.Effect<Found, SqlError | ParseResult.ParseError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const ask = <A, I>(schema: Schema.Schema<A, I>, query: string) =>
      Effect.flatMap(sql.unsafe(query), Schema.decodeUnknown(schema))
    const tables = yield* sql.unsafe("SELECT 1 FROM sqlite_master WHERE name IN ('charlotte_runs', 'orders')")
    if (tables.length < 2) return { runs: [], events: 0, wrong: [] }
    const all = yield* ask(Schema.Array(Run), runs)
    const orders = yield* ask(Orders, "SELECT id, job FROM orders")
    const signals = yield* ask(
      Signals,
      "SELECT job_id AS id, name, CAST(payload AS INTEGER) AS payload FROM charlotte_signals"
    )
    const [{ events }] = yield* ask(Count, "SELECT count(*) AS events FROM charlotte_events")
    const byId = new Map(all.map((run) => [run.id, run]))
    const ofOrders = new Map(orders.map(({ id, job }) => [id, job]))
    return {
      runs: all,
      events,
      wrong: [
        ...untrue(said, byId, signals),
        ...outOfOrder(all),
        ...all.flatMap(({ id, order_id: order }) =>
          order === null || ofOrders.get(order) === id ? [] : [`${id} is there without its order`]
        ),
        ...orders.flatMap(({ id, job }) =>
          all.some((run) => run.id === job && run.order_id === id) ? [] : [`order ${id} is there without its job`]
        ),
        ...all.flatMap(({ id, manner, status, told }) => {
          if (manner !== "signal" || status !== "completed") return []
          const sent = signals.some((signal) => signal.id === id && signal.name === "go" && signal.payload === told)
          return sent ? [] : [`${id} was told ${told}, which was not sent`]
        })
      ]
    }
  })

const audit = Effect.map(Audit.run({ maxJobs }), ({ violations }) =>
  violations.map(({ found, wrong }) => `${found}: ${wrong}`)
)

/** What an application has left that is dead. */
export const dead = (world: { readonly root: string; readonly home: string }, said: ReadonlyArray<Said>) =>
  copied(world, (filename) =>
    Effect.zipWith(audit, read(said), (audited, found) => ({ ...found, wrong: [...audited, ...found.wrong] })).pipe(
      Effect.provide(Database.layer({ filename }))
    )
  )

/** What is not as it should be where every job was to come to its end. */
export const unfinished = (runs: ReadonlyArray<Run>): ReadonlyArray<string> =>
  runs.flatMap(({ error, id, manner, status }) => {
    if (!RunStatus.isTerminal(status)) return [`${id} is ${status} in the end`]
    const mayFail = manner === "failing" || error?.includes("it crashed") === true
    return status === "failed" && !mayFail ? [`${id} (${manner}) failed: ${error}`] : []
  })
