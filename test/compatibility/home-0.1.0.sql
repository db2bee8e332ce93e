-- What a manager of Charlotte 0.1.0 (commit 2e0d978) leaves in its database when it is closed: a job that has completed, one
-- that was stopped, and two that were interrupted. Made with its own code, and written out by table.
PRAGMA user_version = 0;
CREATE TABLE "charlotte_migrations" (
  migration_id integer PRIMARY KEY NOT NULL,
  created_at datetime NOT NULL DEFAULT current_timestamp,
  name VARCHAR(255) NOT NULL
);
CREATE TABLE charlotte_runs (
      id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 26),
      kind TEXT NOT NULL CHECK (kind <> ''),
      status TEXT NOT NULL
        CHECK (status IN ('pending', 'running', 'interrupted', 'completed', 'failed', 'cancelled')),
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      key TEXT,
      config TEXT NOT NULL CHECK (json_valid(config)),
      labels TEXT NOT NULL CHECK (json_type(labels) = 'object'),
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      stopping_at INTEGER,
      ended_at INTEGER,
      crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
      result TEXT CHECK (result IS NULL OR json_valid(result)),
      error TEXT CHECK (error IS NULL OR json_valid(error)), submission TEXT CHECK (submission IS NULL OR json_valid(submission)),
      CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
      CHECK ((status = 'pending') = (started_at IS NULL) OR status = 'cancelled'),
      CHECK (stopping_at IS NULL OR status NOT IN ('pending', 'interrupted')),
      CHECK ((status = 'completed') = (result IS NOT NULL)),
      CHECK (CASE status WHEN 'failed' THEN error IS NOT NULL WHEN 'cancelled' THEN TRUE ELSE error IS NULL END)
    ) STRICT;
CREATE TABLE charlotte_labels (
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      run_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      PRIMARY KEY (name, value, run_id)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE charlotte_events (
      cursor INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL CHECK (seq >= 1),
      at INTEGER NOT NULL,
      type TEXT NOT NULL CHECK (type <> ''),
      unit TEXT,
      task INTEGER,
      payload TEXT,
      UNIQUE (job_id, seq)
    ) STRICT;
CREATE TABLE charlotte_owners (
      kind TEXT NOT NULL PRIMARY KEY,
      id TEXT NOT NULL,
      pid INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      start_time TEXT NOT NULL,
      pid_namespace TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
CREATE TABLE charlotte_attempts (
      cookie TEXT NOT NULL PRIMARY KEY,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      boot_id TEXT NOT NULL,
      purpose TEXT NOT NULL,
      opened_at INTEGER NOT NULL,
      pid INTEGER,
      start_time TEXT,
      closed_at INTEGER
    ) STRICT, WITHOUT ROWID;
CREATE TABLE charlotte_units (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      unit TEXT NOT NULL CHECK (unit <> ''),
      position INTEGER NOT NULL CHECK (position >= 0),
      depends_on TEXT NOT NULL CHECK (json_type(depends_on) = 'array'),
      state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'merged', 'failed', 'blocked', 'skipped')),
      base_id TEXT,
      commit_id TEXT,
      reason TEXT,
      started_at INTEGER,
      ended_at INTEGER,
      PRIMARY KEY (job_id, unit),
      UNIQUE (job_id, position),
      CHECK (state <> 'merged' OR commit_id IS NOT NULL),
      CHECK (state <> 'failed' OR reason IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE charlotte_tasks (
      job_id TEXT NOT NULL,
      unit TEXT NOT NULL,
      task INTEGER NOT NULL CHECK (task >= 1),
      position INTEGER NOT NULL CHECK (position >= 0),
      title TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'skipped')),
      failures INTEGER NOT NULL CHECK (failures >= 0),
      calls INTEGER NOT NULL CHECK (calls >= 0),
      commit_id TEXT,
      reason TEXT,
      log TEXT,
      notes TEXT NOT NULL CHECK (json_type(notes) = 'array'),
      started_at INTEGER,
      ended_at INTEGER,
      PRIMARY KEY (job_id, unit, task),
      UNIQUE (job_id, unit, position),
      FOREIGN KEY (job_id, unit) REFERENCES charlotte_units (job_id, unit) ON DELETE CASCADE,
      CHECK (state <> 'completed' OR commit_id IS NOT NULL),
      CHECK (state <> 'failed' OR reason IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "charlotte_migrations" (migration_id, created_at, name) VALUES (1, '2026-11-26 11:42:54', 'runs');
INSERT INTO "charlotte_migrations" (migration_id, created_at, name) VALUES (2, '2026-11-26 11:42:54', 'events');
INSERT INTO "charlotte_migrations" (migration_id, created_at, name) VALUES (3, '2026-11-26 11:42:54', 'owners');
INSERT INTO "charlotte_migrations" (migration_id, created_at, name) VALUES (4, '2026-11-26 11:42:54', 'attempts');
INSERT INTO "charlotte_migrations" (migration_id, created_at, name) VALUES (5, '2026-11-26 11:42:54', 'submission');
INSERT INTO "charlotte_migrations" (migration_id, created_at, name) VALUES (6, '2026-11-26 11:42:54', 'work');
INSERT INTO "charlotte_runs" (id, kind, status, attempt, key, config, labels, created_at, started_at, stopping_at, ended_at, crashes, result, error, submission) VALUES ('01M8BTMTW4QRYPSKENH61WWGJE', 'tasks', 'completed', 1, NULL, '{"repoPath":"/repository","tasksDir":"done","targetBranch":"main","concurrency":4,"dryRun":false,"land":true,"labels":{"team":"web"}}', '{"team":"web"}', 1795693374340, 1795693374340, NULL, 1795693374485, 0, '"done"', NULL, NULL);
INSERT INTO "charlotte_runs" (id, kind, status, attempt, key, config, labels, created_at, started_at, stopping_at, ended_at, crashes, result, error, submission) VALUES ('01M8BTMV0RTSSTYRK637R5R81V', 'tasks', 'cancelled', 1, NULL, '{"repoPath":"/repository","tasksDir":"stopped","targetBranch":"main","concurrency":4,"dryRun":false,"land":true,"labels":{"team":"web"}}', '{"team":"web"}', 1795693374488, 1795693374488, 1795693374498, 1795693374510, 0, NULL, NULL, NULL);
INSERT INTO "charlotte_runs" (id, kind, status, attempt, key, config, labels, created_at, started_at, stopping_at, ended_at, crashes, result, error, submission) VALUES ('01M8BTMV1NCZERWCPSJ2TW3VYB', 'tasks', 'interrupted', 1, NULL, '{"repoPath":"/repository","tasksDir":"first","targetBranch":"main","concurrency":4,"dryRun":false,"land":true,"labels":{"team":"web"}}', '{"team":"web"}', 1795693374517, 1795693374517, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO "charlotte_runs" (id, kind, status, attempt, key, config, labels, created_at, started_at, stopping_at, ended_at, crashes, result, error, submission) VALUES ('01M8BTMV1WHYXBRS76J86SGYTG', 'tasks', 'interrupted', 1, NULL, '{"repoPath":"/repository","tasksDir":"second","targetBranch":"main","concurrency":4,"dryRun":false,"land":true,"labels":{"team":"web"}}', '{"team":"web"}', 1795693374524, 1795693374524, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO "charlotte_labels" (name, value, run_id) VALUES ('team', 'web', '01M8BTMTW4QRYPSKENH61WWGJE');
INSERT INTO "charlotte_labels" (name, value, run_id) VALUES ('team', 'web', '01M8BTMV0RTSSTYRK637R5R81V');
INSERT INTO "charlotte_labels" (name, value, run_id) VALUES ('team', 'web', '01M8BTMV1NCZERWCPSJ2TW3VYB');
INSERT INTO "charlotte_labels" (name, value, run_id) VALUES ('team', 'web', '01M8BTMV1WHYXBRS76J86SGYTG');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (1, '01M8BTMTW4QRYPSKENH61WWGJE', 1, 1795693374340, 'job.started', NULL, NULL, '{"attempt":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (2, '01M8BTMTW4QRYPSKENH61WWGJE', 2, 1795693374478, 'progress', NULL, NULL, '{"n":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (3, '01M8BTMTW4QRYPSKENH61WWGJE', 3, 1795693374485, 'job.completed', NULL, NULL, NULL);
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (4, '01M8BTMV0RTSSTYRK637R5R81V', 1, 1795693374488, 'job.started', NULL, NULL, '{"attempt":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (5, '01M8BTMV0RTSSTYRK637R5R81V', 2, 1795693374498, 'job.stopping', NULL, NULL, NULL);
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (6, '01M8BTMV0RTSSTYRK637R5R81V', 3, 1795693374497, 'progress', NULL, NULL, '{"n":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (7, '01M8BTMV0RTSSTYRK637R5R81V', 4, 1795693374510, 'job.cancelled', NULL, NULL, NULL);
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (8, '01M8BTMV1NCZERWCPSJ2TW3VYB', 1, 1795693374517, 'job.started', NULL, NULL, '{"attempt":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (9, '01M8BTMV1WHYXBRS76J86SGYTG', 1, 1795693374524, 'job.started', NULL, NULL, '{"attempt":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (10, '01M8BTMV1NCZERWCPSJ2TW3VYB', 2, 1795693374524, 'progress', NULL, NULL, '{"n":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (11, '01M8BTMV1WHYXBRS76J86SGYTG', 2, 1795693374530, 'progress', NULL, NULL, '{"n":1}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (12, '01M8BTMV1NCZERWCPSJ2TW3VYB', 3, 1795693374877, 'job.interrupted', NULL, NULL, '{"reason":"shutdown"}');
INSERT INTO "charlotte_events" (cursor, job_id, seq, at, type, unit, task, payload) VALUES (13, '01M8BTMV1WHYXBRS76J86SGYTG', 3, 1795693374878, 'job.interrupted', NULL, NULL, '{"reason":"shutdown"}');
CREATE UNIQUE INDEX charlotte_runs_active_key ON charlotte_runs (kind, key)
    WHERE key IS NOT NULL AND status IN ('pending', 'running');
CREATE INDEX charlotte_runs_kind ON charlotte_runs (kind, id);
CREATE INDEX charlotte_runs_status ON charlotte_runs (status, id);
CREATE TRIGGER charlotte_runs_transition BEFORE UPDATE ON charlotte_runs
    WHEN NOT (
      (OLD.status = 'pending' AND NEW.status IN ('pending', 'running', 'cancelled'))
      OR (OLD.status = 'running' AND NEW.status IN ('running', 'completed', 'failed', 'cancelled', 'interrupted'))
      OR (OLD.status = 'interrupted' AND NEW.status IN ('running', 'failed', 'cancelled'))
    )
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: this change of status is not in the state machine');
    END;
CREATE TRIGGER charlotte_runs_attempt BEFORE UPDATE ON charlotte_runs
    WHEN NEW.attempt <> OLD.attempt + (OLD.status = 'interrupted' AND NEW.status = 'running')
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: an interrupted run goes on as its next attempt, and nothing else begins one');
    END;
CREATE INDEX charlotte_labels_run ON charlotte_labels (run_id);
CREATE TRIGGER charlotte_runs_labels AFTER INSERT ON charlotte_runs WHEN NEW.labels <> '{}'
    BEGIN
      INSERT INTO charlotte_labels (name, value, run_id) SELECT key, value, NEW.id FROM json_each(NEW.labels);
    END;
CREATE UNIQUE INDEX charlotte_events_terminal ON charlotte_events (job_id)
    WHERE type IN ('job.completed', 'job.failed', 'job.cancelled');
CREATE TRIGGER charlotte_events_terminal_status BEFORE INSERT ON charlotte_events
    WHEN NEW.type IN ('job.completed', 'job.failed', 'job.cancelled')
      AND 'job.' || (SELECT status FROM charlotte_runs WHERE id = NEW.job_id) IS NOT NEW.type
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a terminal event says what the status of its run says');
    END;
CREATE TRIGGER charlotte_events_append_only BEFORE UPDATE ON charlotte_events
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: events are append-only');
    END;
CREATE INDEX charlotte_attempts_unclosed ON charlotte_attempts (job_id) WHERE closed_at IS NULL;
CREATE TRIGGER charlotte_runs_identity
    BEFORE UPDATE OF id, kind, config, labels, created_at, submission ON charlotte_runs
    WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
      OR NEW.created_at <> OLD.created_at OR NEW.submission IS NOT OLD.submission
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: what a run was submitted with never changes');
    END;
CREATE TRIGGER charlotte_units_transition BEFORE UPDATE OF state ON charlotte_units
    WHEN OLD.state IN ('merged', 'failed', 'blocked', 'skipped') AND NEW.state <> OLD.state
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a unit that is over stays as it ended');
    END;
CREATE TRIGGER charlotte_tasks_transition BEFORE UPDATE OF state ON charlotte_tasks
    WHEN OLD.state IN ('completed', 'failed', 'skipped') AND NEW.state <> OLD.state
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a task that is over stays as it ended');
    END;
