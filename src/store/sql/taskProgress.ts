/**
 * Statements on `charlotte_units` and `charlotte_tasks`.
 */
import { further, storableTask, storableUnit } from "../rules/storableWork.js"
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import { Cost } from "../../domain/Cost.js"
import { JobId } from "../../domain/JobId.js"
import {
  GateFailure,
  OpenTurn,
  TaskCounts,
  TaskNote,
  TaskRecord,
  TaskSession,
  TaskState,
  UnitRecord,
  UnitState,
  Work
} from "../../domain/Work.js"
import { inserter, nullable, query, type Value, type Values, valuesOf } from "./statements.js"

const Texts = Schema.parseJson(Schema.Array(Schema.String))
const Text = Schema.optionalWith(Schema.String, { nullable: true })
const Time = Schema.optionalWith(Schema.DateTimeUtcFromNumber, { nullable: true })

/** Rows with the field names of their records. */
const UnitRow = Schema.Struct({
  unit: Schema.String,
  position: Schema.Number,
  dependsOn: Texts,
  state: UnitState,
  base: Text,
  commit: Text,
  worktree: Text,
  reason: Text,
  startedAt: Time,
  endedAt: Time
})

const TaskRow = Schema.Struct({
  unit: Schema.String,
  task: Schema.Number,
  position: Schema.Number,
  title: Schema.String,
  state: TaskState,
  failures: Schema.Number,
  calls: Schema.Number,
  commit: Text,
  reason: Text,
  said: Text,
  log: Text,
  session: Schema.optionalWith(Schema.parseJson(TaskSession), { nullable: true }),
  cost: Schema.optionalWith(Schema.parseJson(Cost), { nullable: true }),
  turn: Schema.optionalWith(Schema.parseJson(OpenTurn), { nullable: true }),
  resolves: Schema.optionalWith(Texts, { nullable: true }),
  gateFailures: Schema.optionalWith(Schema.parseJson(Schema.Array(GateFailure)), { nullable: true }),
  notes: Schema.parseJson(Schema.Array(TaskNote)),
  startedAt: Time,
  endedAt: Time
})

/** Columns whose names differ from their fields; `commit` is an SQL keyword. */
const renamed: { readonly [field: string]: string } = {
  dependsOn: "depends_on",
  base: "base_id",
  commit: "commit_id",
  gateFailures: "gate_failures",
  startedAt: "started_at",
  endedAt: "ended_at"
}

const table = <A, Row extends { readonly [field: string]: Value | undefined }>(
  name: string,
  row: Schema.Schema<A, Row> & { readonly fields: object },
  keys: ReadonlyArray<string>
) => {
  const fields = Object.keys(row.fields)
  const column = (field: string) => renamed[field] ?? field
  const changing = fields.filter((field) => !keys.includes(field)).map(column)
  const encode: (record: A) => Values = Schema.encodeSync(row)
  /** The values of a record by column. */
  const rowOf = (record: A): Values => {
    const encoded = encode(record)
    return Object.fromEntries(fields.map((field) => [column(field), encoded[field]]))
  }
  const where = ["job_id", ...keys].map((key) => `${key} = ?`).join(" AND ")
  const returned = query(Schema.Struct({ job_id: Schema.String }))
  const insert = inserter(name, ["job_id", ...fields.map(column)])
  return {
    /** Columns of the table with alias `t`. */
    columns: fields.map((field) => `t.${column(field)} AS "${field}"`).join(", "),

    select: query(row),

    insert: (connection: Connection, jobId: JobId, records: ReadonlyArray<A>) =>
      insert(
        connection,
        records.map((record) => ({ job_id: jobId, ...rowOf(record) }))
      ),

    update: (connection: Connection, jobId: JobId, record: A): Effect.Effect<void, SqlError> => {
      const row = rowOf(record)
      return Effect.flatMap(
        returned(
          connection,
          `UPDATE ${name} SET ${changing.map((column) => `${column} = ?`).join(", ")} WHERE ${where} RETURNING job_id`,
          [...valuesOf(changing, row), jobId, ...valuesOf(keys, row)]
        ),
        ({ length }) =>
          length === 1
            ? Effect.void
            : Effect.dieMessage(`job ${jobId} has no ${valuesOf(keys, row).join("/")} in ${name}; call work.plan first`)
      )
    }
  }
}

const units = table("charlotte_units", UnitRow, ["unit"])
const tasks = table("charlotte_tasks", TaskRow, ["unit", "task"])

export const of = (connection: Connection, jobId: JobId): Effect.Effect<Work, SqlError> =>
  Effect.gen(function* () {
    const unitRows = yield* units.select(
      connection,
      `SELECT ${units.columns} FROM charlotte_units t WHERE t.job_id = ? ORDER BY t.position`,
      [jobId]
    )
    const taskRows = yield* tasks.select(
      connection,
      `SELECT ${tasks.columns} FROM charlotte_tasks t JOIN charlotte_units u ON u.job_id = t.job_id AND u.unit = t.unit
       WHERE t.job_id = ? ORDER BY u.position, t.position`,
      [jobId]
    )
    return new Work(
      {
        units: unitRows.map((row) => new UnitRecord(row, { disableValidation: true })),
        tasks: taskRows.map((row) => new TaskRecord(row, { disableValidation: true }))
      },
      { disableValidation: true }
    )
  })

const Counted = Schema.Struct({ job_id: JobId, state: TaskState, tasks: Schema.Number })

const selectCounted = query(Counted)

const none = { pending: 0, running: 0, completed: 0, failed: 0, skipped: 0 }

/** Counts tasks, with one query for any number of jobs. */
export const counts = (
  connection: Connection,
  jobIds: ReadonlyArray<JobId>
): Effect.Effect<ReadonlyMap<JobId, TaskCounts>, SqlError> =>
  Effect.map(
    selectCounted(
      connection,
      `SELECT job_id, state, count(*) AS tasks FROM charlotte_tasks
       WHERE job_id IN (SELECT value FROM ${connection.dialect.strings} ids) GROUP BY job_id, state`,
      [JSON.stringify(jobIds)]
    ),
    (rows) => {
      const counts = new Map<JobId, TaskCounts>()
      for (const { job_id, state, tasks } of rows)
        counts.set(job_id, new TaskCounts({ ...(counts.get(job_id) ?? none), [state]: tasks }))
      return counts
    }
  )

const selectCosts = query(Schema.Struct({ job_id: JobId, cost: Schema.parseJson(Cost) }))

/** The costs of tasks, with one query for any number of jobs. */
export const costs = (
  connection: Connection,
  jobIds: ReadonlyArray<JobId>
): Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<Cost>>, SqlError> =>
  Effect.map(
    selectCosts(
      connection,
      `SELECT job_id, cost FROM charlotte_tasks
       WHERE job_id IN (SELECT value FROM ${connection.dialect.strings} ids) AND cost IS NOT NULL`,
      [JSON.stringify(jobIds)]
    ),
    (rows) => {
      const costs = new Map<JobId, Array<Cost>>()
      for (const { cost, job_id } of rows) {
        const own = costs.get(job_id) ?? []
        costs.set(job_id, own)
        own.push(cost)
      }
      return costs
    }
  )

const selectNames = query(Schema.Struct({ job_id: JobId, unit: Schema.String }))

/** The names of the first units, with one query for any number of jobs. */
export const unitNames = (
  connection: Connection,
  jobIds: ReadonlyArray<JobId>,
  most: number
): Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<string>>, SqlError> =>
  Effect.map(
    selectNames(
      connection,
      `SELECT job_id, unit FROM charlotte_units
       WHERE job_id IN (SELECT value FROM ${connection.dialect.strings} ids) AND position < ? ORDER BY job_id, position`,
      [JSON.stringify(jobIds), most]
    ),
    (rows) => {
      const names = new Map<JobId, ReadonlyArray<string>>()
      for (const { job_id, unit } of rows) names.set(job_id, [...(names.get(job_id) ?? []), unit])
      return names
    }
  )

const selectPlanned = query(Schema.Struct({ unit: Schema.String, task: nullable(Schema.Number) }))

const plannedOf = (connection: Connection, jobId: JobId) =>
  selectPlanned(
    connection,
    `SELECT u.unit, t.task FROM charlotte_units u LEFT JOIN charlotte_tasks t ON t.job_id = u.job_id AND t.unit = u.unit
     WHERE u.job_id = ?`,
    [jobId]
  )

export const plan = (connection: Connection, jobId: JobId, work: Work): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const planned = yield* plannedOf(connection, jobId)
    if (planned.length === 0) yield* units.insert(connection, jobId, work.units.map(storableUnit))
    yield* tasks.insert(connection, jobId, further(planned, work.tasks).map(storableTask))
  })

export const updateUnit = (connection: Connection, jobId: JobId, unit: UnitRecord) =>
  units.update(connection, jobId, storableUnit(unit))

/** Does nothing if the unit has the task. */
export const addTask = (connection: Connection, jobId: JobId, task: TaskRecord): Effect.Effect<void, SqlError> =>
  Effect.flatMap(plannedOf(connection, jobId), (planned) =>
    tasks.insert(connection, jobId, further(planned, [task]).map(storableTask))
  )

export const updateTask = (connection: Connection, jobId: JobId, task: TaskRecord) =>
  tasks.update(connection, jobId, storableTask(task))
