/**
 * Limits of agents: one row for each profile, until the agent works again. Their turns in a row without a verdict: one row for each
 * task.
 */
export const agents = [
  `CREATE TABLE charlotte_agent_limits (
    agent TEXT NOT NULL PRIMARY KEY CHECK (agent <> ''),
    kind TEXT NOT NULL DEFAULT 'usage' CHECK (kind IN ('usage', 'funds', 'outage', 'unanswered')),
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    refusals INTEGER NOT NULL CHECK (refusals >= 0)
  )`,

  `CREATE TABLE charlotte_turn_streaks (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    agent TEXT NOT NULL CHECK (agent <> ''),
    unit TEXT COLLATE "C" NOT NULL CHECK (unit <> ''),
    task INTEGER NOT NULL CHECK (task >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('unanswered', 'unreachable', 'brokenOff')),
    turns INTEGER NOT NULL CHECK (turns >= 0),
    wording TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    answered_since INTEGER NOT NULL CHECK (answered_since IN (0, 1)),
    PRIMARY KEY (job_id, agent, unit, task)
  )`
]
