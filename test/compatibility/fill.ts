/**
 * Fills a database of version 0.1.0 with very many finished runs, as that version would have recorded them.
 */
import type Sqlite from "better-sqlite3"

export interface History {
  readonly runs: number
  /** Of each run, with a payload of about 190 bytes. */
  readonly events: number
}

/** The text of an event, of 110 to 230 characters. */
const text =
  "The test of the parser failed at the third assertion since the token was not consumed; I read the lexer first, and then " +
  "where it is called, in src/parser/statement.ts line 214, and mend it there with a lookahead of two tokens."

/** Of some of the runs, so that a test is not at work for minutes without a turn for others. */
const slice = ({ events, first, last }: { readonly events: number; readonly first: number; readonly last: number }) => `
  WITH RECURSIVE n (n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM n WHERE n < ${last})
  INSERT INTO charlotte_runs (id, kind, status, attempt, config, labels, created_at, started_at, ended_at, crashes, result, error)
  SELECT printf('01K%023d', n), iif(n % 5 = 0, 'report', 'tasks'),
    CASE WHEN n % 20 = 0 THEN 'failed' WHEN n % 50 = 1 THEN 'cancelled' ELSE 'completed' END, 1,
    json_object('repoPath', '/home/anna/projects/service-' || (n % 97), 'tasksDir', 'tasks/feature-' || n,
      'targetBranch', 'main', 'concurrency', 4, 'dryRun', json('false'), 'land', json('true'), 'agent', 'claude',
      'labels', json_object('team', 'team-' || (n % 13))),
    iif(n % 10 = 0, json_object('team', 'team-' || (n % 13), 'charlotte.idempotency-key', 'key-' || n),
      json_object('team', 'team-' || (n % 13))),
    1760000000000 + n * 1000, 1760000000000 + n * 1000, 1760000000000 + n * 1000 + 900, 0,
    iif(n % 20 = 0 OR n % 50 = 1, NULL, json_object('branch', printf('charlotte/01K%023d/result', n))),
    iif(n % 20 = 0, json_object('kind', 'failure', 'error', json_object('_tag', 'TasksFailed', 'message',
      'unit api failed: task 2 did not pass after 3 attempts'), 'cause', 'TasksFailed: unit api failed'), NULL)
  FROM n;

  WITH RECURSIVE s (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < ${events})
  INSERT INTO charlotte_events (job_id, seq, at, type, unit, task, payload)
  SELECT r.id, seq, r.created_at + seq * 80,
    CASE seq WHEN 1 THEN 'job.started' WHEN ${events} THEN 'job.' || r.status ELSE 'agent.output' END,
    iif(seq IN (1, ${events}), NULL, 'api'), iif(seq IN (1, ${events}), NULL, 1),
    json_object('attempt', 1, 'text', substr('${text}', 1, 110 + (r.rowid * 7 + seq * 31) % 120))
  FROM charlotte_runs r CROSS JOIN s WHERE r.id BETWEEN printf('01K%023d', ${first}) AND printf('01K%023d', ${last}) ORDER BY r.rowid, seq;

  INSERT INTO charlotte_units (job_id, unit, position, depends_on, state, base_id, commit_id)
  SELECT id, 'api', 0, '[]', 'merged', 'b', 'c' FROM charlotte_runs r WHERE r.id BETWEEN printf('01K%023d', ${first}) AND printf('01K%023d', ${last}) AND r.rowid % 4 = 0;
  INSERT INTO charlotte_tasks (job_id, unit, task, position, title, state, failures, calls, commit_id, notes)
  SELECT job_id, unit, t, t - 1, iif(t = 1, 'Write the parser', 'Test the lexer'), 'completed', 0, 1, 'c', '[]'
  FROM charlotte_units CROSS JOIN (SELECT 1 AS t UNION ALL SELECT 2) WHERE job_id BETWEEN printf('01K%023d', ${first}) AND printf('01K%023d', ${last});`

const terminal = "charlotte_events_terminal_status"

const sliceSize = 50_000

/** The statements that fill it, each of a few seconds. A crash would only mean to begin again. */
export const statements = (database: Sqlite, { events, runs }: History): ReadonlyArray<string> => {
  const [trigger] = database
    .prepare<[], { readonly sql: string }>(`SELECT sql FROM sqlite_master WHERE name = '${terminal}'`)
    .all()
  const slices = Array.from({ length: Math.ceil(runs / sliceSize) }, (_, i) =>
    slice({ events, first: i * sliceSize + 1, last: Math.min((i + 1) * sliceSize, runs) })
  )
  return [
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000",
    `DROP TRIGGER ${terminal}`,
    ...slices.map((statement) => `BEGIN; ${statement}; COMMIT`),
    `${trigger?.sql}; PRAGMA journal_mode = WAL`
  ]
}

export const fill = (database: Sqlite, history: History): void => {
  for (const statement of statements(database, history)) database.exec(statement)
}
