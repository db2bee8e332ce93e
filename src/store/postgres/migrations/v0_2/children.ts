/**
 * The children of jobs. They belong to the first run of a chain of retries; `run_id` is the run that has asked for a child last, and
 * `tries` how often that run had been retried before.
 */
export const children = [
  `CREATE TABLE charlotte_children (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    child_id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    on_stop TEXT NOT NULL CHECK (on_stop IN ('stop', 'leave')),
    PRIMARY KEY (job_id, name)
  )`
]
