/**
 * The tables that the migrations create. Archives, the audit and pruning derive from this list which tables they process, and how.
 */

export interface Table {
  /** The columns of the primary key. */
  readonly key: ReadonlyArray<string>
  /**
   * - `records`: the history, which archives contain
   * - `processes`: the processes that use the database now
   * - `derived`: rows that triggers, the indexer and managers write again
   */
  readonly holds: "records" | "processes" | "derived"
  /** The table that its rows refer to, and the columns that hold the key there. Rows are deleted with the row that they refer to. */
  readonly parent?: readonly [table: string, ...columns: ReadonlyArray<string>]
  /** How pruning deletes the rows of a job that may have many, before the run: with the events of the same `seq`, or by key. */
  readonly pruned?: "by seq" | "by key"
  /** The only database that has the table. */
  readonly database?: "sqlite" | "postgres"
}

const ofJob = ["charlotte_runs", "job_id"] as const

/** Each table refers only to tables before it. */
const tables = {
  charlotte_runs: { holds: "records", key: ["id"] },
  charlotte_events: { holds: "records", key: ["cursor"], parent: ofJob, pruned: "by seq" },
  charlotte_attempts: { holds: "records", key: ["cookie"], parent: ofJob },
  charlotte_units: { holds: "records", key: ["job_id", "unit"], parent: ofJob },
  charlotte_tasks: { holds: "records", key: ["job_id", "unit", "task"], parent: ["charlotte_units", "job_id", "unit"] },
  charlotte_questions: {
    holds: "records",
    key: ["job_id", "unit", "task", "seq"],
    parent: ["charlotte_tasks", "job_id", "unit", "task"]
  },
  charlotte_signals: { holds: "records", key: ["job_id", "seq"], parent: ofJob, pruned: "by seq" },
  charlotte_attached_keys: { holds: "records", key: ["kind", "idempotency_key"], parent: ofJob, pruned: "by key" },
  charlotte_steps: { holds: "records", key: ["job_id", "name"], parent: ofJob, pruned: "by key" },
  charlotte_children: { holds: "records", key: ["job_id", "name"], parent: ofJob, pruned: "by key" },
  charlotte_decisions: { holds: "records", key: ["kind", "key", "name"] },
  charlotte_requests: { holds: "records", key: ["seq"], parent: ofJob },
  charlotte_pauses: { holds: "records", key: ["kind"] },
  charlotte_schedules: { holds: "records", key: ["kind", "name"] },
  charlotte_agent_limits: { holds: "records", key: ["agent"] },
  charlotte_turn_streaks: { holds: "records", key: ["job_id", "agent", "unit", "task"], parent: ofJob },
  charlotte_subscribers: { holds: "records", key: ["name"] },
  charlotte_undelivered: { holds: "records", key: ["subscriber", "cursor"], parent: ofJob },
  charlotte_latest: { holds: "records", key: ["one"] },
  charlotte_removed: { holds: "records", key: ["id"] },
  charlotte_owners: { holds: "processes", key: ["kind"] },
  charlotte_nodes: { holds: "processes", key: ["id"] },
  charlotte_limits: { holds: "derived", key: ["kind"] },
  charlotte_groups: { holds: "derived", key: ["kind", "grp"] },
  charlotte_changed_groups: { holds: "derived", key: ["seq"], database: "postgres" },
  charlotte_pending: { holds: "derived", key: ["kind"] },
  charlotte_finished: { holds: "derived", key: ["kind"] },
  charlotte_prunings: { holds: "derived", key: ["one"] },
  charlotte_labels: { holds: "derived", key: ["name", "value", "run_id"], parent: ["charlotte_runs", "run_id"] },
  charlotte_search: { holds: "derived", key: ["rowid"] },
  charlotte_documents: { holds: "derived", key: ["document"] },
  charlotte_partitions: { holds: "derived", key: ["partition"] },
  charlotte_unindexed: { holds: "derived", key: ["run_id"] },
  charlotte_log: { holds: "derived", key: ["one"], database: "postgres" },
  charlotte_generation: { holds: "derived", key: ["one"], database: "sqlite" }
} as const satisfies { readonly [name: string]: Table }

export type TableName = keyof typeof tables

const byName: { readonly [name: string]: Table } = tables

export const all = Object.entries(byName)

/** The names of the tables that meet a condition. */
export const namesWhere = (is: (table: Table) => boolean): ReadonlyArray<string> =>
  all.flatMap(([name, table]) => (is(table) ? [name] : []))

export const keyOf = (table: string): ReadonlyArray<string> => byName[table]?.key ?? []
