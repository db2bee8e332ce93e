/**
 * Idempotency keys of requests that have attached to a job: a request with such a key gets that job for as long as it is kept. The key
 * of the start itself is in the row of the run.
 */
export const attachedKeys = [
  `CREATE TABLE charlotte_attached_keys (
    kind TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request TEXT NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, idempotency_key)
  )`,
  "CREATE INDEX charlotte_attached_keys_job ON charlotte_attached_keys (job_id)"
]
