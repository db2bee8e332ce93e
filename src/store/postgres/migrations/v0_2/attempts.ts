/** Child processes of jobs: inserted before each spawn, closed once the process tree is gone. */
export const attempts = [
  `CREATE TABLE charlotte_attempts (
    cookie TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    boot_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    pid INTEGER,
    start_time TEXT,
    closed_at BIGINT,
    machine TEXT,
    log TEXT,
    tail TEXT
  )`,
  "CREATE INDEX charlotte_attempts_unclosed ON charlotte_attempts (job_id) WHERE closed_at IS NULL",
  "CREATE INDEX charlotte_attempts_job ON charlotte_attempts (job_id)"
]
