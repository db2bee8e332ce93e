/**
 * What is looked at after each kill: whether all that was said is so, and whether what must not be is not.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Database, JobId, RunStatus } from "charlotte"
import { Array, Effect, type ParseResult, Schema } from "effect"
import * as Audit from "../../../src/store/Audit.js"
import { copied } from "../Inspection.js"
import type { Said } from "./Said.js"
import * as Effort from "./Effort.js"
import { maxJobs, Work } from "./Work.js"

const Run = Schema.Struct({
  id: JobId.JobId,
  kind: Schema.String,
  status: RunStatus.RunStatus,
  attempt: Schema.Int,
  tries: Schema.Int,
  manner: Schema.NullOr(Schema.String),
  manners: Schema.NullOr(Schema.parseJson(Effort.Manners)),
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
  SELECT id, kind, status, attempt, tries, config ->> 'manner' AS manner, config ->> 'manners' AS manners, config ->> 'order' AS order_id, result ->> 'told' AS told,
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
  const plain = runs.filter(({ kind, queued }) => kind === Work.kind && queued !== null)
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

const Lifecycle = Schema.Array(
  Schema.Struct({
    id: JobId.JobId,
    type: Schema.String,
    n: Schema.NullOr(Schema.Int),
    error: Schema.NullOr(Schema.String)
  })
)

const lifecycle = `
  SELECT job_id AS id, type, payload -> 'retry' ->> 'n' AS n, payload -> 'retry' -> 'error' ->> 'kind' AS error
  FROM charlotte_events WHERE type IN ('job.started', 'job.resumed', 'job.interrupted', 'job.parked') ORDER BY cursor`

/** Tries that were lost, or counted twice: each attempt ends once, and is a try if it fails by itself. */
const miscounted = (
  { attempt, error: end, id, manners, status, tries }: Run,
  events: typeof Lifecycle.Type,
  said: ReadonlyArray<Said>
): ReadonlyArray<string> => {
  const wrong: globalThis.Array<string> = []
  /** How often each attempt had been retried before. */
  const before: globalThis.Array<number> = []
  let counted = 0
  for (const { error, n, type } of events) {
    if (type === "job.started" || type === "job.resumed") before.push(counted)
    if (n === null) continue
    const manner = manners?.[counted]
    counted += 1
    if (n !== counted) wrong.push(`${id} has retry ${n} as number ${counted}`)
    // On a busy machine anything may take too long.
    if (error !== "timeout" && (manner === undefined || error !== Effort.kinds[manner]))
      wrong.push(`${id} has ended by a ${error}, and is one that ${manner}`)
  }
  if (tries !== counted) wrong.push(`${id} has ${tries} tries, and was retried ${counted} times`)
  if (before.length > 0 && before.length !== attempt)
    wrong.push(`${id} has begun ${before.length} of ${attempt} attempts`)
  for (const one of said)
    if (one._tag === "Began" && one.id === id && one.tries !== before[one.attempt - 1])
      wrong.push(
        `attempt ${one.attempt} of ${id} has begun with ${one.tries} tries, and not ${before[one.attempt - 1]}`
      )
  if (manners !== null && status === "completed" && tries < manners.length)
    wrong.push(`${id} is completed after ${tries} of ${manners.length} tries`)
  const isGivenUp = end?.includes("it crashed") === true
  if (manners !== null && status === "failed" && tries < Effort.times && !isGivenUp)
    wrong.push(`${id} has failed after ${tries} tries`)
  return wrong
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
    const [count] = yield* ask(Count, "SELECT count(*) AS events FROM charlotte_events")
    const events = Array.groupBy(yield* ask(Lifecycle, lifecycle), ({ id }) => id)
    const byId = new Map(all.map((run) => [run.id, run]))
    const ofOrders = new Map(orders.map(({ id, job }) => [id, job]))
    return {
      runs: all,
      ...count,
      wrong: [
        ...untrue(said, byId, signals),
        ...outOfOrder(all),
        ...all.flatMap((run) => miscounted(run, events[run.id] ?? [], said)),
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
    const mayFail = manner === null || manner === "failing" || error?.includes("it crashed") === true
    return status === "failed" && !mayFail ? [`${id} (${manner}) failed: ${error}`] : []
  })
