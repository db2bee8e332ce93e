import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * The directory in which a unit is worked on; the session in which the agent last worked on a task, what it said last, what its turns have
 * cost, the conflict that it resolves, and the files on which its gate has failed.
 */
export const work = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe("ALTER TABLE charlotte_units ADD COLUMN worktree TEXT")
  yield* sql.unsafe(`ALTER TABLE charlotte_tasks ADD COLUMN session TEXT CHECK (json_type(session) = 'object')`)
  yield* sql.unsafe("ALTER TABLE charlotte_tasks ADD COLUMN said TEXT")
  yield* sql.unsafe(`ALTER TABLE charlotte_tasks ADD COLUMN cost TEXT CHECK (json_type(cost) = 'object')`)
  yield* sql.unsafe(`ALTER TABLE charlotte_tasks ADD COLUMN turn TEXT CHECK (json_type(turn) = 'object')`)
  yield* sql.unsafe(`ALTER TABLE charlotte_tasks ADD COLUMN resolves TEXT CHECK (json_type(resolves) = 'array')`)
  yield* sql.unsafe(
    `ALTER TABLE charlotte_tasks ADD COLUMN gate_failures TEXT CHECK (json_type(gate_failures) = 'array')`
  )

  // A unit that is merged or skipped can have a further task.
  yield* sql.unsafe("DROP TRIGGER charlotte_units_transition")
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_units_transition BEFORE UPDATE OF state ON charlotte_units
    WHEN OLD.state IN ('merged', 'failed', 'blocked', 'skipped') AND NEW.state <> OLD.state
      AND NOT (OLD.state IN ('merged', 'skipped') AND NEW.state = 'running')
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a unit that is over stays as it ended');
    END`)
})
