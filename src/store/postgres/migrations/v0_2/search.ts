/**
 * The search index. Runs are partitioned by id, newest last: a word is indexed with its partition's number in front, so that a query
 * reads the words of one partition at a time, from the newest on. `charlotte_unindexed` holds the runs that were written since they
 * were last indexed: an existing row is written again, so that it waits for the indexer that deletes it.
 */
const unindexed = (column: string) =>
  `INSERT INTO charlotte_unindexed VALUES (NEW.${column})
   ON CONFLICT (run_id) DO UPDATE SET run_id = excluded.run_id`

export const search = [
  "CREATE TABLE charlotte_search (rowid BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL)",
  "CREATE INDEX charlotte_search_words ON charlotte_search USING gin (words)",
  `CREATE TABLE charlotte_documents (document BIGINT NOT NULL PRIMARY KEY, run_id TEXT COLLATE "C" NOT NULL UNIQUE)`,
  `CREATE TABLE charlotte_partitions (
    partition INTEGER NOT NULL PRIMARY KEY,
    first_id TEXT COLLATE "C" NOT NULL UNIQUE,
    last_id TEXT COLLATE "C" NOT NULL,
    documents INTEGER NOT NULL
  )`,
  `CREATE TABLE charlotte_unindexed (run_id TEXT COLLATE "C" NOT NULL PRIMARY KEY)`,

  `CREATE FUNCTION charlotte_runs_searched() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     ${unindexed("id")};
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_searched AFTER INSERT ON charlotte_runs FOR EACH ROW
   EXECUTE FUNCTION charlotte_runs_searched()`,
  `CREATE TRIGGER charlotte_runs_error AFTER UPDATE OF error ON charlotte_runs FOR EACH ROW
   WHEN (NEW.error IS NOT NULL) EXECUTE FUNCTION charlotte_runs_searched()`,
  `CREATE FUNCTION charlotte_tasks_searched() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     ${unindexed("job_id")};
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_tasks_planned AFTER INSERT ON charlotte_tasks FOR EACH ROW
   EXECUTE FUNCTION charlotte_tasks_searched()`,
  `CREATE TRIGGER charlotte_tasks_title AFTER UPDATE OF title ON charlotte_tasks FOR EACH ROW
   WHEN (NEW.title <> OLD.title) EXECUTE FUNCTION charlotte_tasks_searched()`,
  `CREATE FUNCTION charlotte_runs_unsearched() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     DELETE FROM charlotte_search WHERE rowid = (SELECT document FROM charlotte_documents WHERE run_id = OLD.id);
     DELETE FROM charlotte_documents WHERE run_id = OLD.id;
     DELETE FROM charlotte_unindexed WHERE run_id = OLD.id;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_unsearched AFTER DELETE ON charlotte_runs FOR EACH ROW
   EXECUTE FUNCTION charlotte_runs_unsearched()`
]
