/**
 * The schedules of a database. A tick and its run are recorded in one transaction, in the lane of the writes that admit runs. What locks
 * the row of a schedule has locked the admission of its kind before, so that no two transactions wait for each other.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Either, Option, Schema } from "effect"
import { ScheduleNotFound, type StoreError } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import { position } from "../../domain/Schedule.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { NewRun, ScheduleName, ScheduleStore, Ticked } from "../port/RunStoreService.js"
import { makeServing, overlapping, type Recorded, refused, shown } from "../rules/scheduling.js"
import { storable } from "../rules/storableWork.js"
import type { Batch } from "./Batch.js"
import type { Connection } from "./Dialect.js"
import type { Lanes } from "./Lanes.js"
import { submitRun } from "./producers.js"
import * as runs from "./runs.js"
import { isKeyed } from "./runWrites.js"
import type { Session } from "./Session.js"
import { columnsOf, execute, nullable, query, type Value } from "./statements.js"

const Row = Schema.Struct({
  kind: Schema.String,
  name: Schema.String,
  definition: Schema.String,
  registered_at: Schema.DateTimeUtcFromNumber,
  last_tick: nullable(Schema.DateTimeUtcFromNumber),
  last_run: nullable(JobId),
  paused_at: nullable(Schema.DateTimeUtcFromNumber),
  paused_by: nullable(Schema.String),
  reset_at: nullable(Schema.DateTimeUtcFromNumber),
  reset_from: nullable(Schema.DateTimeUtcFromNumber),
  skipped: Schema.Number,
  skipped_tick: nullable(Schema.DateTimeUtcFromNumber),
  skipped_reason: nullable(Schema.String)
})

const select = query(Row)

const columns = columnsOf(Row)

const recorded = ({ definition, kind, name, skipped, ...row }: typeof Row.Type): Recorded => ({
  kind,
  name,
  definition,
  since: row.registered_at,
  lastTick: row.last_tick ?? undefined,
  lastRun: row.last_run ?? undefined,
  pausedAt: row.paused_at ?? undefined,
  pausedBy: row.paused_by ?? undefined,
  resetAt: row.reset_at ?? undefined,
  resetFrom: row.reset_from ?? undefined,
  skipped,
  skippedTick: row.skipped_tick ?? undefined,
  skippedReason: row.skipped_reason ?? undefined
})

const find = (connection: Connection, { kind, name }: ScheduleName): Effect.Effect<Recorded | undefined, SqlError> =>
  Effect.map(
    select(connection, `SELECT ${columns} FROM charlotte_schedules WHERE kind = ? AND name = ?`, [kind, name]),
    ([row]) => row && recorded(row)
  )

const later = (a: string, b: string) => `CASE WHEN ${a} > ${b} THEN ${a} ELSE ${b} END`
/** Has two parameters, which are the same. */
const atMost = (column: string) => `CASE WHEN ${column} > ? THEN ? ELSE ${column} END`

/** Moves the last tick forward, if it is for this process to do so. */
const advance = (
  connection: Connection,
  { definition, kind, name }: ScheduleName & { readonly definition: string },
  tick: number
) =>
  select(
    connection,
    `UPDATE charlotte_schedules SET last_tick = ?
     WHERE kind = ? AND name = ? AND definition = ? AND paused_at IS NULL AND registered_at < ?
       AND (last_tick IS NULL OR last_tick < ?)
     RETURNING ${columns}`,
    [tick, kind, name, definition, tick, tick]
  )

export const make = ({
  lanes: { admit },
  session
}: {
  readonly session: Session
  readonly lanes: Pick<Lanes, "admit">
}): ScheduleStore => {
  const { isServed, ...serving } = makeServing()

  const write = <A>(operation: string, kind: string, body: (connection: Connection) => Effect.Effect<A, SqlError>) =>
    admit<A, never>({
      operation,
      lane: "fast",
      body: (batch) => Effect.zipRight(batch.lockAdmission(kind), Effect.flatMap(batch.connection, body))
    })

  /** Runs a statement that returns the row of the schedule, if there is one. */
  const change = (
    operation: string,
    { kind, name }: ScheduleName,
    [sql, ...params]: readonly [sql: string, ...params: ReadonlyArray<Value>]
  ): Effect.Effect<void, ScheduleNotFound | StoreError> =>
    Effect.filterOrFail(
      write(operation, kind, (connection) =>
        select(connection, `${sql} WHERE kind = ? AND name = ? RETURNING ${columns}`, [...params, kind, name])
      ),
      (rows) => rows.length > 0,
      () => new ScheduleNotFound({ kind, schedule: name })
    ).pipe(Effect.asVoid)

  return {
    ...serving,

    register: ({ at, definition, kind, name }) =>
      write("register a schedule", kind, (connection) =>
        Effect.gen(function* () {
          yield* execute(
            connection,
            `INSERT INTO charlotte_schedules (kind, name, definition, registered_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (kind, name) DO UPDATE SET definition = excluded.definition,
               registered_at = ${later("charlotte_schedules.registered_at", "excluded.registered_at")}
             WHERE charlotte_schedules.definition <> excluded.definition`,
            [kind, name, definition, DateTime.toEpochMillis(at)]
          )
          const row = yield* find(connection, { kind, name })
          return row === undefined ? at : position(row)
        })
      ),

    tick: ({ definition, kind, name, run, skipsOverlap, tick }) =>
      admit<Ticked, never>({
        operation: "record a tick",
        lane: "fast",
        isAlone: typeof run !== "string" && isKeyed(run),
        body: (batch) =>
          Effect.gen(function* () {
            yield* batch.lockAdmission(kind)
            const millis = DateTime.toEpochMillis(tick)
            const [row] = yield* advance(yield* batch.connection, { definition, kind, name }, millis)
            if (row === undefined) return refused(yield* find(yield* batch.connection, { kind, name }), { definition })
            const started = yield* begun(batch, run, skipsOverlap ? row.last_run : null)
            const connection = yield* batch.connection
            if (Either.isRight(started)) {
              yield* execute(connection, "UPDATE charlotte_schedules SET last_run = ? WHERE kind = ? AND name = ?", [
                started.right,
                kind,
                name
              ])
              return { _tag: "Started", id: started.right } as const
            }
            const reason = started.left
            yield* execute(
              connection,
              `UPDATE charlotte_schedules SET skipped = skipped + 1, skipped_tick = ?, skipped_reason = ?
               WHERE kind = ? AND name = ?`,
              [millis, storable(reason), kind, name]
            )
            return { _tag: "Skipped", reason } as const
          })
      }),

    reset: ({ definition, from, kind, name, to }) =>
      write("reset a schedule", kind, (connection) =>
        Effect.gen(function* () {
          const [before, after] = [DateTime.toEpochMillis(from), DateTime.toEpochMillis(to)]
          yield* execute(
            connection,
            `UPDATE charlotte_schedules SET registered_at = ${atMost("registered_at")},
               last_tick = ${atMost("last_tick")}, reset_at = ?, reset_from = ?
             WHERE kind = ? AND name = ? AND definition = ? AND ${later("registered_at", "coalesce(last_tick, registered_at)")} = ?`,
            [after, after, after, after, after, before, kind, name, definition, before]
          )
          const row = yield* find(connection, { kind, name })
          return row === undefined ? to : position(row)
        })
      ),

    list: session.read("list schedules", (connection) =>
      Effect.map(select(connection, `SELECT ${columns} FROM charlotte_schedules ORDER BY kind, name`, []), (rows) =>
        rows.map((row) => shown(recorded(row), isServed(row)))
      )
    ),

    pause: ({ at, by, ...schedule }) =>
      change("pause a schedule", schedule, [
        `UPDATE charlotte_schedules SET paused_by = CASE WHEN paused_at IS NULL THEN ? ELSE paused_by END,
           paused_at = coalesce(paused_at, ?)`,
        by ?? null,
        DateTime.toEpochMillis(at)
      ]),

    unpause: ({ at, ...schedule }) => {
      const millis = DateTime.toEpochMillis(at)
      return change("unpause a schedule", schedule, [
        `UPDATE charlotte_schedules SET registered_at = CASE WHEN paused_at IS NULL OR registered_at > ? THEN registered_at
           ELSE ? END, paused_at = NULL, paused_by = NULL`,
        millis,
        millis
      ])
    },

    remove: (schedule) => change("remove a schedule", schedule, ["DELETE FROM charlotte_schedules"])
  }
}

/** Records the run of a tick, unless the last run, if that counts, is not over; otherwise why there is none. */
const begun = (
  batch: Batch,
  run: NewRun | string,
  last: JobId | null
): Effect.Effect<Either.Either<JobId, string>, SqlError> =>
  Effect.gen(function* () {
    if (typeof run === "string") return Either.left(run)
    const overlapped = last === null ? Option.none() : yield* runs.get(yield* batch.connection, last)
    if (Option.isSome(overlapped) && !isTerminal(overlapped.value.status)) {
      return Either.left(overlapping(overlapped.value))
    }
    return yield* submitRun(batch, run).pipe(
      Effect.map((id) => Either.right(id)),
      Effect.catchTags({
        JobConflict: ({ message }) => Effect.succeed(Either.left(message)),
        QueueFull: ({ message }) => Effect.succeed(Either.left(message)),
        IdempotencyKeyReused: Effect.die
      })
    )
  })
