import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * The search index. Runs are partitioned by id, newest last: a word is indexed with its partition's number in front, so that a query
 * reads the words of one partition at a time, from the newest on. `charlotte_unindexed` holds the runs that were written since they
 * were last indexed; at first it holds all runs.
 */
export const search = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE VIRTUAL TABLE charlotte_search
    USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii')`)

  // The partition of a document is in the upper half of its number.
  yield* sql.unsafe(`
    CREATE TABLE charlotte_documents (document INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE) STRICT`)

  yield* sql.unsafe(`
    CREATE TABLE charlotte_partitions (
      partition INTEGER PRIMARY KEY,
      first_id TEXT NOT NULL UNIQUE,
      last_id TEXT NOT NULL,
      documents INTEGER NOT NULL
    ) STRICT`)

  yield* sql.unsafe(`CREATE TABLE charlotte_unindexed (run_id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID`)
  yield* sql.unsafe(`INSERT INTO charlotte_unindexed SELECT id FROM charlotte_runs`)

  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_searched AFTER INSERT ON charlotte_runs
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.id);
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_error AFTER UPDATE OF error ON charlotte_runs WHEN NEW.error IS NOT NULL
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.id);
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_tasks_planned AFTER INSERT ON charlotte_tasks
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.job_id);
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_tasks_title AFTER UPDATE OF title ON charlotte_tasks WHEN NEW.title <> OLD.title
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.job_id);
    END`)
  yield* sql.unsafe(`
    CREATE TRIGGER charlotte_runs_unsearched AFTER DELETE ON charlotte_runs
    BEGIN
      DELETE FROM charlotte_search WHERE rowid = (SELECT document FROM charlotte_documents WHERE run_id = OLD.id);
      DELETE FROM charlotte_documents WHERE run_id = OLD.id;
      DELETE FROM charlotte_unindexed WHERE run_id = OLD.id;
    END`)
})
