/**
 * What producers write in a database.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema, type Scope } from "effect"
import {
  type IdempotencyKeyReused,
  type JobConflict,
  JobEnded,
  JobNotFound,
  type QueueFull,
  TooManySignals
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { ChangeNotifier } from "../port/ChangeNotifier.js"
import type { NewRun, ProducerStore } from "../port/RunStoreService.js"
import { admitRun, type Lookup } from "../rules/admitRun.js"
import type { Batch } from "./Batch.js"
import type { Connection } from "./Dialect.js"
import type { Guard } from "./Guard.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import * as keys from "./keys.js"
import type { Lanes } from "./Lanes.js"
import { lookup } from "./lookup.js"
import * as requests from "./requests.js"
import * as runs from "./runs.js"
import { apply, isKeyed, replace } from "./runWrites.js"
import type { Session } from "./Session.js"
import * as signals from "./signals.js"
import { query } from "./statements.js"

/** While the scope is open, runs an effect after commits of other processes that the store would not notice otherwise. */
export type Watch = (wake: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>

const selectCount = query(Schema.Struct({ runs: Schema.Number }))

const selectKinds = query(Schema.Struct({ kind: Schema.String, runs: Schema.Number }))

const waiting = (connection: Connection) => {
  const inOutbox = "SELECT kind, 1 AS runs FROM charlotte_runs WHERE outbox = 1"
  const all = `SELECT kind, runs FROM charlotte_pending${connection.dialect.isConcurrent ? ` UNION ALL ${inOutbox}` : ""}`
  return selectKinds(
    connection,
    `SELECT kind, CAST(sum(runs) AS BIGINT) AS runs FROM (${all}) AS kinds GROUP BY kind HAVING sum(runs) > 0 ORDER BY kind`,
    []
  )
}

/** PostgreSQL counts a run as pending once it leaves the outbox. */
const countOutbox = (connection: Connection, kind: string) =>
  connection.dialect.isConcurrent
    ? Effect.map(
        selectCount(connection, "SELECT count(*) AS runs FROM charlotte_runs WHERE kind = ? AND outbox = 1", [kind]),
        ([row]) => row?.runs ?? 0
      )
    : Effect.succeed(0)

const lookupWithOutbox = (batch: Batch): Lookup<SqlError> => {
  const own = lookup(batch.connection)
  return {
    ...own,
    pending: (kind) =>
      Effect.zipWith(
        own.pending(kind),
        Effect.flatMap(batch.connection, (connection) => countOutbox(connection, kind)),
        (queued, inOutbox) => queued + inOutbox
      )
  }
}

/** Records a pending run that has no event before its manager has seen it. */
export const submitRun = (
  batch: Batch,
  run: NewRun
): Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | SqlError> =>
  Effect.gen(function* () {
    const connection = yield* batch.connection
    const { at, id, kind } = run
    yield* batch.lockAdmission(kind)
    const decision = yield* admitRun({ ...run, isQueued: true }, lookupWithOutbox(batch))
    if (decision._tag === "Existing") return (yield* idempotencyKeys.answer(connection, kind, decision)).id
    yield* connection.dialect.insertRuns(connection, [
      runs.newRow(run, decision.state, { isInOutbox: true, retry: decision.retry })
    ])
    for (const holder of decision.replaced) {
      for (const jobId of yield* replace(batch, holder, at)) {
        yield* requests.insertStop(yield* batch.connection, { kind, jobId, grace: undefined, at })
      }
    }
    batch.submits(kind)
    return id
  }).pipe(Effect.catchTag("Superseded", Effect.die))

export const make = ({
  guard,
  lanes: { admit, write },
  notifier,
  session,
  watch,
  watchChanges
}: {
  readonly session: Session
  readonly guard: Pick<Guard, "rest">
  readonly lanes: Pick<Lanes, "admit" | "write">
  readonly notifier: ChangeNotifier
  /** Watches for runs and requests of producers in other processes. */
  readonly watch: Watch
  /** Watches for events that other processes commit. */
  readonly watchChanges: Watch
}): ProducerStore => ({
  submit: (run) =>
    admit({
      operation: "start a job",
      lane: "fast",
      isAlone: isKeyed(run),
      body: (batch) => submitRun(batch, run)
    }),

  requestSignal: (signal) =>
    write({
      operation: "signal a job",
      lane: "fast",
      body: (batch) =>
        Effect.gen(function* () {
          const { jobId, kind, limit } = signal
          const connection = yield* batch.connection
          const run = Option.filter(yield* runs.get(connection, jobId), (run) => run.kind === kind)
          if (Option.isNone(run)) return yield* new JobNotFound({ jobId })
          const { attempt, status } = run.value
          if (isTerminal(status)) return yield* new JobEnded({ jobId, status })
          const recorded = yield* signals.countDuring(connection, jobId, attempt)
          if (recorded + (yield* requests.countSignals(connection, jobId)) >= limit) {
            return yield* new TooManySignals({ jobId, limit })
          }
          yield* requests.insertSignal(connection, signal)
          batch.submits(kind)
        })
    }),

  requestStop: (stop) =>
    admit({
      operation: "stop a job",
      lane: "fast",
      about: stop.jobId,
      body: (batch) =>
        Effect.gen(function* () {
          const { at, jobId, kind, sender } = stop
          const head = batch.head(jobId)
          if (head === undefined || head.kind !== kind) return yield* new JobNotFound({ jobId })
          const { attempt, status } = head.state
          if (isTerminal(status)) return
          if (status === "pending") {
            yield* apply(batch, head, { type: "job.cancelled", jobId, attempt, at, sender }, false)
            // In this transaction, so that the manager finds the run that gets the key when it sees the request.
            yield* Effect.forEach(runs.keysOfHead(head), (key) => keys.handOn(batch, key, at), { discard: true })
          }
          // For a pending run it notifies the manager.
          yield* requests.insertStop(yield* batch.connection, stop)
          batch.submits(kind)
        }).pipe(Effect.catchTag("Superseded", Effect.die))
    }),

  requestResume: (resume) =>
    write({
      operation: "resume a job",
      lane: "fast",
      body: (batch) =>
        Effect.gen(function* () {
          const { jobId, kind } = resume
          const connection = yield* batch.connection
          const run = yield* runs.get(connection, jobId)
          if (!Option.exists(run, (run) => run.kind === kind)) return yield* new JobNotFound({ jobId })
          yield* requests.insertResume(connection, resume)
          batch.submits(kind)
        })
    }),

  requests: (kind) => session.read("read requests", (connection) => requests.list(connection, kind)),

  settle: ({ jobId, kind, seq }) =>
    Effect.zipRight(
      write<void, never>({
        operation: "settle a request",
        lane: "fast",
        body: (batch) =>
          Effect.gen(function* () {
            yield* requests.remove(yield* batch.connection, seq)
            for (const waitsFor of ["permit", "time"]) batch.waits({ kind, waitsFor })
            // The manager then reads the requests that were beyond its page.
            batch.submits(kind)
          })
      }),
      notifier.wake([jobId])
    ),

  waiting: session.read("count waiting runs", waiting),

  submitted: (kind) => {
    const submitted = notifier.committed(kind)
    return Effect.as(watch(submitted.wake), submitted)
  },

  rest: guard.rest,
  follow: watchChanges(notifier.wakeAll)
})
