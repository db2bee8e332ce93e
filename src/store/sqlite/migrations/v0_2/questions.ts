import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/** The questions of agents, and what persons have answered. */
export const questions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql.unsafe(`
    CREATE TABLE charlotte_questions (
      job_id TEXT NOT NULL,
      unit TEXT NOT NULL,
      task INTEGER NOT NULL,
      seq INTEGER NOT NULL CHECK (seq >= 1),
      agent TEXT NOT NULL CHECK (agent <> ''),
      session TEXT,
      question TEXT NOT NULL CHECK (question <> ''),
      asked_at INTEGER NOT NULL,
      answer TEXT,
      answered_by TEXT,
      answered_at INTEGER,
      PRIMARY KEY (job_id, unit, task, seq),
      FOREIGN KEY (job_id, unit, task) REFERENCES charlotte_tasks (job_id, unit, task) ON DELETE CASCADE,
      CHECK ((answer IS NULL) = (answered_at IS NULL))
    ) STRICT, WITHOUT ROWID`)
})
