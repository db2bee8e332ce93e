/** Limits of agents: one row for each profile, until the agent works again. */
export const agents = [
  `CREATE TABLE charlotte_agent_limits (
    agent TEXT NOT NULL PRIMARY KEY CHECK (agent <> ''),
    class TEXT NOT NULL CHECK (class IN ('usageLimit', 'funds')),
    reason TEXT NOT NULL,
    until BIGINT NOT NULL,
    refusals INTEGER NOT NULL CHECK (refusals >= 0)
  )`
]
