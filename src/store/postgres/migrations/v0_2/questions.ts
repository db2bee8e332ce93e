/** The questions of agents, and what persons have answered. */
export const questions = [
  `CREATE TABLE charlotte_questions (
    job_id TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    task INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    agent TEXT NOT NULL CHECK (agent <> ''),
    session TEXT,
    question TEXT NOT NULL CHECK (question <> ''),
    asked_at BIGINT NOT NULL,
    answer TEXT,
    answered_by TEXT,
    answered_at BIGINT,
    PRIMARY KEY (job_id, unit, task, seq),
    FOREIGN KEY (job_id, unit, task) REFERENCES charlotte_tasks (job_id, unit, task) ON DELETE CASCADE,
    CHECK ((answer IS NULL) = (answered_at IS NULL))
  )`
]
