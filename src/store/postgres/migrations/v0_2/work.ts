/** Progress of units and tasks. Terminal states are final, except that a unit that is merged or skipped can have a further task. */
export const work = [
  `CREATE TABLE charlotte_units (
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    unit TEXT COLLATE "C" NOT NULL CHECK (unit <> ''),
    position INTEGER NOT NULL CHECK (position >= 0),
    depends_on TEXT NOT NULL CHECK (json_typeof(CAST(depends_on AS json)) = 'array'),
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'merged', 'failed', 'blocked', 'skipped')),
    base_id TEXT,
    commit_id TEXT,
    worktree TEXT,
    reason TEXT,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (job_id, unit),
    UNIQUE (job_id, position),
    CHECK (state <> 'merged' OR commit_id IS NOT NULL),
    CHECK (state <> 'failed' OR reason IS NOT NULL)
  )`,
  `CREATE TRIGGER charlotte_units_transition BEFORE UPDATE OF state ON charlotte_units FOR EACH ROW
   WHEN (OLD.state IN ('merged', 'failed', 'blocked', 'skipped') AND NEW.state <> OLD.state
     AND NOT (OLD.state IN ('merged', 'skipped') AND NEW.state = 'running'))
   EXECUTE FUNCTION charlotte_refuse('charlotte: a unit that is over stays as it ended')`,

  `CREATE TABLE charlotte_tasks (
    job_id TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    task INTEGER NOT NULL CHECK (task >= 1),
    position INTEGER NOT NULL CHECK (position >= 0),
    title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'skipped')),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    calls INTEGER NOT NULL CHECK (calls >= 0),
    commit_id TEXT,
    reason TEXT,
    said TEXT,
    log TEXT,
    session TEXT CHECK (json_typeof(CAST(session AS json)) = 'object'),
    cost TEXT CHECK (json_typeof(CAST(cost AS json)) = 'object'),
    turn TEXT CHECK (json_typeof(CAST(turn AS json)) = 'object'),
    resolves TEXT CHECK (json_typeof(CAST(resolves AS json)) = 'array'),
    gate_failures TEXT CHECK (json_typeof(CAST(gate_failures AS json)) = 'array'),
    notes TEXT NOT NULL CHECK (json_typeof(CAST(notes AS json)) = 'array'),
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (job_id, unit, task),
    UNIQUE (job_id, unit, position),
    FOREIGN KEY (job_id, unit) REFERENCES charlotte_units (job_id, unit) ON DELETE CASCADE,
    CHECK (state <> 'completed' OR commit_id IS NOT NULL),
    CHECK (state <> 'failed' OR reason IS NOT NULL)
  )`,
  `CREATE TRIGGER charlotte_tasks_transition BEFORE UPDATE OF state ON charlotte_tasks FOR EACH ROW
   WHEN (OLD.state IN ('completed', 'failed', 'skipped') AND NEW.state <> OLD.state)
   EXECUTE FUNCTION charlotte_refuse('charlotte: a task that is over stays as it ended')`
]
