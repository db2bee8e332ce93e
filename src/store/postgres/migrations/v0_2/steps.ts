/**
 * The steps of jobs. They belong to the first run of a chain of retries; `run_id` is the run that has done a step, and `tries` how often
 * that run had been retried before.
 */
export const steps = [
  `CREATE TABLE charlotte_steps (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    run_id TEXT COLLATE "C" NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    tries INTEGER NOT NULL CHECK (tries >= 0),
    at BIGINT NOT NULL,
    millis BIGINT NOT NULL CHECK (millis >= 0),
    ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
    value TEXT CHECK (value IS NULL OR CAST(value AS json) IS NOT NULL),
    PRIMARY KEY (job_id, name)
  )`,
  `CREATE TRIGGER charlotte_steps_final BEFORE UPDATE ON charlotte_steps FOR EACH ROW
   EXECUTE FUNCTION charlotte_refuse('charlotte: a recorded step never changes')`
]
