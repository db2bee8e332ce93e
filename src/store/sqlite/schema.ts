/**
 * The schema of version 0.2.0. A new database is made of it at once, and `0008_v0_2` makes of it what a database of version 0.1.0 lacks:
 * once it is released, it stays as it is. The table of runs has its name in quotes, as after the renaming in that migration, and so has
 * what the migration makes before it copies the runs.
 */
import { dueRank } from "../sql/runRow.js"
import { isTransition, statuses, terminal, terminalEvents, waitingForNothing } from "../sql/stateMachine.js"

/** Every column but `pinned`, `pruned`, `parent`, `child_ends`, `trace`, `node` and `runner`: the recorded data of a run, which is final once it has ended. */
const recorded =
  "id, kind, status, attempt, key, start_key, config, labels, submission, idempotency_key, request, priority, created_at, start_at, " +
  "started_at, stopping_at, ended_at, waits_for, due_at, parked, woken_by, sender, replaces, crashes, tries, result, error, outbox, searched, progress, retry_of, chain, grp"

/** The finished runs that pruning considers. */
const prunable = "ended_at IS NOT NULL AND pinned = 0 AND pruned = 0"

const isPrunable = (row: "OLD" | "NEW") => `(${row}.ended_at IS NOT NULL AND ${row}.pinned = 0 AND ${row}.pruned = 0)`

export const schema: ReadonlyArray<string> = [
  // The first start of version 0.1.0, if it was killed, has left this table empty.
  `CREATE TABLE IF NOT EXISTS "charlotte_migrations" (
  migration_id integer PRIMARY KEY NOT NULL,
  created_at datetime NOT NULL DEFAULT current_timestamp,
  name VARCHAR(255) NOT NULL
)`,
  `CREATE TABLE charlotte_events (
      cursor INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL CHECK (seq >= 1),
      at INTEGER NOT NULL,
      type TEXT NOT NULL CHECK (type <> ''),
      unit TEXT,
      task INTEGER,
      payload TEXT,
      UNIQUE (job_id, seq)
    ) STRICT`,
  `CREATE UNIQUE INDEX charlotte_events_terminal ON charlotte_events (job_id)
    WHERE type IN ('job.completed', 'job.failed', 'job.cancelled')`,
  `CREATE TRIGGER charlotte_events_append_only BEFORE UPDATE ON charlotte_events
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: events are append-only');
    END`,
  `CREATE TABLE charlotte_owners (
      kind TEXT NOT NULL PRIMARY KEY,
      id TEXT NOT NULL,
      pid INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      start_time TEXT NOT NULL,
      pid_namespace TEXT NOT NULL
    , lock_path TEXT, lock_file TEXT, machine TEXT) STRICT, WITHOUT ROWID`,
  // The machines of processes and owners, and the logs and ends of processes, are NULL in a database of one machine.
  `CREATE TABLE charlotte_attempts (
      cookie TEXT NOT NULL PRIMARY KEY,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      boot_id TEXT NOT NULL,
      purpose TEXT NOT NULL,
      opened_at INTEGER NOT NULL,
      pid INTEGER,
      start_time TEXT,
      closed_at INTEGER
    , machine TEXT, log TEXT, tail TEXT) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_attempts_unclosed ON charlotte_attempts (job_id) WHERE closed_at IS NULL`,
  // `worktree` is the directory in which the unit is worked on.
  `CREATE TABLE charlotte_units (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      unit TEXT NOT NULL CHECK (unit <> ''),
      position INTEGER NOT NULL CHECK (position >= 0),
      depends_on TEXT NOT NULL CHECK (json_type(depends_on) = 'array'),
      state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'merged', 'failed', 'blocked', 'skipped')),
      base_id TEXT,
      commit_id TEXT,
      reason TEXT,
      started_at INTEGER,
      ended_at INTEGER, worktree TEXT,
      PRIMARY KEY (job_id, unit),
      UNIQUE (job_id, position),
      CHECK (state <> 'merged' OR commit_id IS NOT NULL),
      CHECK (state <> 'failed' OR reason IS NOT NULL)
    ) STRICT, WITHOUT ROWID`,
  // The session in which the agent last worked on the task, what it said last, what its turns have cost, the turn that goes on, the conflict
  // that it resolves, and the files on which its gate has failed.
  `CREATE TABLE charlotte_tasks (
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
      ended_at INTEGER, session TEXT CHECK (json_type(session) = 'object'), said TEXT, cost TEXT CHECK (json_type(cost) = 'object'), turn TEXT CHECK (json_type(turn) = 'object'), resolves TEXT CHECK (json_type(resolves) = 'array'), gate_failures TEXT CHECK (json_type(gate_failures) = 'array'),
      PRIMARY KEY (job_id, unit, task),
      UNIQUE (job_id, unit, position),
      FOREIGN KEY (job_id, unit) REFERENCES charlotte_units (job_id, unit) ON DELETE CASCADE,
      CHECK (state <> 'completed' OR commit_id IS NOT NULL),
      CHECK (state <> 'failed' OR reason IS NOT NULL)
    ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER charlotte_tasks_transition BEFORE UPDATE OF state ON charlotte_tasks
    WHEN OLD.state IN ('completed', 'failed', 'skipped') AND NEW.state <> OLD.state
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a task that is over stays as it ended');
    END`,
  // Labels have indexes for every combination of filters, in listing order. They repeat the kind of their run, which is immutable, and its
  // status, which a trigger updates.
  `CREATE TABLE charlotte_labels (
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      run_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      status TEXT NOT NULL,
      PRIMARY KEY (name, value, run_id)
    ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_labels_run ON charlotte_labels (run_id)`,
  `CREATE INDEX charlotte_labels_kind ON charlotte_labels (name, value, kind, run_id)`,
  `CREATE INDEX charlotte_labels_status ON charlotte_labels (name, value, status, run_id)`,
  `CREATE INDEX charlotte_labels_kind_status ON charlotte_labels (name, value, kind, status, run_id)`,
  // `sender` has asked for what a run waits to do, its retry or its next attempt, and is JSON as `Sender` in the domain;
  // `searched` is searched in place of labels and config if part of them is secret; `trace` is NULL if nothing traced the start;
  // `parent` is the run that has asked for this one last, and `child_ends` counts the ends of its own children, if it has any;
  // `node` is the address on which a run was placed last, and `runner` the node that has taken its attempt; `refused_by` is why
  // versions of the kind cannot decode a waiting run, since `refused_at`: all of these in a cluster only.
  // The statuses are listed in triggers, so that the next one needs no new table.
  `CREATE TABLE "charlotte_runs" (
      id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 26),
      kind TEXT NOT NULL CHECK (kind <> ''),
      status TEXT NOT NULL,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      key TEXT,
      start_key TEXT,
      config TEXT NOT NULL CHECK (json_valid(config)),
      labels TEXT NOT NULL CHECK (json_type(labels) = 'object'),
      submission TEXT CHECK (submission IS NULL OR json_valid(submission)),
      idempotency_key TEXT,
      request TEXT,
      priority INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL,
      start_at INTEGER,
      started_at INTEGER,
      stopping_at INTEGER,
      ended_at INTEGER,
      waits_for TEXT,
      due_at INTEGER,
      parked TEXT CHECK (parked IS NULL OR json_type(parked) = 'object'),
      woken_by TEXT,
      sender TEXT CHECK (sender IS NULL OR json_type(sender) = 'object'),
      replaces INTEGER NOT NULL DEFAULT 0,
      crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
      tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
      result TEXT CHECK (result IS NULL OR json_valid(result)),
      error TEXT CHECK (error IS NULL OR json_valid(error)),
      outbox INTEGER NOT NULL DEFAULT 0 CHECK (outbox = 0 OR status = 'pending'),
      searched TEXT CHECK (searched IS NULL OR json_type(searched) = 'object'),
      progress TEXT CHECK (progress IS NULL OR json_type(progress) = 'object'),
      pinned INTEGER NOT NULL DEFAULT 0,
      pruned INTEGER NOT NULL DEFAULT 0,
      retry_of TEXT,
      chain TEXT,
      grp TEXT CHECK (grp <> ''),
      parent TEXT,
      child_ends INTEGER,
      trace TEXT,
      node TEXT,
      runner TEXT,
      refused_by TEXT CHECK (refused_by IS NULL OR json_type(refused_by) = 'object'),
      refused_at INTEGER CHECK ((refused_by IS NULL) = (refused_at IS NULL)),
      CHECK ((status IN ${terminal}) = (ended_at IS NOT NULL)),
      CHECK ((status = 'pending') = (started_at IS NULL) OR status IN ('failed', 'cancelled')),
      CHECK (stopping_at IS NULL OR status NOT IN ('pending', 'interrupted', 'parked')),
      CHECK ((status = 'completed') = (result IS NOT NULL)),
      CHECK (CASE status WHEN 'failed' THEN error IS NOT NULL WHEN 'cancelled' THEN TRUE ELSE error IS NULL END),
      CHECK ((waits_for IS NULL) = (status IN ${waitingForNothing})),
      CHECK ((status = 'parked') = (parked IS NOT NULL)),
      CHECK (waits_for IS NOT 'time' OR due_at IS NOT NULL),
      CHECK (waits_for IS NOT (CASE WHEN grp IS NULL THEN 'group' ELSE 'permit' END)),
      CHECK ((idempotency_key IS NULL) = (request IS NULL))
    ) STRICT`,
  // Two jobs cannot hold one key; the others wait behind it in the order of their ids.
  `CREATE UNIQUE INDEX charlotte_runs_held_key ON "charlotte_runs" (kind, key)
      WHERE key IS NOT NULL AND ended_at IS NULL AND waits_for IS NOT 'key'`,
  `CREATE INDEX charlotte_runs_awaited_key ON "charlotte_runs" (kind, key, id) WHERE waits_for = 'key'`,
  `CREATE UNIQUE INDEX charlotte_runs_held_start_key ON "charlotte_runs" (kind, start_key)
      WHERE start_key IS NOT NULL AND ended_at IS NULL AND waits_for IS NOT 'key'`,
  `CREATE INDEX charlotte_runs_awaited_start_key ON "charlotte_runs" (kind, start_key, id) WHERE waits_for = 'key'`,
  // For each status, the order in which runs that wait for a permit begin, and the order of due times.
  `CREATE INDEX charlotte_runs_due ON "charlotte_runs" (kind, status, priority DESC, id) WHERE waits_for = 'permit'`,
  // A retry begins in the order of pending runs, after all other parked ones.
  `CREATE INDEX charlotte_runs_due_parked ON "charlotte_runs" (kind, priority DESC, (coalesce(woken_by, '') = 'retry'), id)
    WHERE waits_for = 'permit' AND status = 'parked'`,
  `CREATE INDEX charlotte_runs_due_for_stop ON "charlotte_runs" (kind, id) WHERE woken_by = 'stop'`,
  `CREATE INDEX charlotte_runs_due_at ON "charlotte_runs" (kind, due_at, id) WHERE waits_for = 'time'`,
  `CREATE INDEX charlotte_runs_refused ON "charlotte_runs" (kind, refused_at) WHERE refused_at IS NOT NULL`,
  // The order of the runs that wait for their group, in it and among all of the kind, and the running jobs of a group.
  `CREATE INDEX charlotte_runs_grouped ON "charlotte_runs" (kind, grp, priority DESC, (${dueRank()}), id)
    WHERE waits_for = 'group'`,
  `CREATE INDEX charlotte_runs_queued_grouped ON "charlotte_runs" (kind, priority DESC, id)
    WHERE status = 'pending' AND waits_for = 'group'`,
  `CREATE INDEX charlotte_runs_active_group ON "charlotte_runs" (kind, grp) WHERE status = 'running' AND grp IS NOT NULL`,
  `CREATE INDEX charlotte_runs_outbox ON "charlotte_runs" (kind, id) WHERE outbox = 1`,
  `CREATE INDEX charlotte_runs_pruned ON "charlotte_runs" (kind, id) WHERE pruned = 1`,
  `CREATE INDEX charlotte_runs_queued_until ON "charlotte_runs" (kind, due_at, id)
    WHERE status = 'pending' AND waits_for = 'time'`,
  `CREATE INDEX charlotte_runs_queued_behind ON "charlotte_runs" (kind, id)
    WHERE status = 'pending' AND waits_for = 'key'`,
  `CREATE INDEX charlotte_runs_kind ON charlotte_runs (kind, id)`,
  `CREATE INDEX charlotte_runs_status ON charlotte_runs (status, id)`,
  `CREATE INDEX charlotte_runs_kind_status ON charlotte_runs (kind, status, id)`,
  `CREATE TRIGGER charlotte_runs_status BEFORE INSERT ON charlotte_runs
    WHEN NEW.status NOT IN ${statuses}
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a run has no such status');
    END`,
  `CREATE TRIGGER charlotte_runs_transition BEFORE UPDATE OF ${recorded} ON charlotte_runs
    WHEN NOT (
      ${isTransition}
    )
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: this change of status is not in the state machine');
    END`,
  `CREATE TRIGGER charlotte_runs_attempt BEFORE UPDATE ON charlotte_runs
    WHEN NEW.attempt <> OLD.attempt + (OLD.status IN ('interrupted', 'parked') AND NEW.status = 'running')
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: an interrupted or parked run goes on as its next attempt, and nothing else begins one');
    END`,
  // A start in a transaction of the application defers the check: its submission is recorded while the run is pending. A run may be
  // rescheduled: its priority until it has ended, its start time before its first attempt.
  `CREATE TRIGGER charlotte_runs_identity
    BEFORE UPDATE OF id, kind, config, labels, submission, start_key, idempotency_key, request, priority, created_at, start_at,
      retry_of, chain, grp
    ON charlotte_runs
    WHEN NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
      OR (NEW.submission IS NOT OLD.submission AND (OLD.submission IS NOT NULL OR OLD.status <> 'pending'))
      OR NEW.start_key IS NOT OLD.start_key
      OR NEW.idempotency_key IS NOT OLD.idempotency_key OR NEW.request IS NOT OLD.request
      OR (NEW.priority <> OLD.priority AND OLD.ended_at IS NOT NULL) OR NEW.created_at <> OLD.created_at
      OR (NEW.start_at IS NOT OLD.start_at AND OLD.status <> 'pending')
      OR NEW.retry_of IS NOT OLD.retry_of OR NEW.chain IS NOT OLD.chain OR NEW.grp IS NOT OLD.grp
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: what a run was submitted with never changes');
    END`,
  `CREATE TRIGGER charlotte_events_terminal_status BEFORE INSERT ON charlotte_events
    WHEN NEW.type IN ${terminalEvents}
      AND 'job.' || (SELECT status FROM charlotte_runs WHERE id = NEW.job_id) IS NOT NEW.type
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a terminal event says what the status of its run says');
    END`,
  `CREATE TRIGGER charlotte_runs_labels AFTER INSERT ON charlotte_runs WHEN NEW.labels <> '{}'
    BEGIN
      INSERT INTO charlotte_labels (name, value, run_id, kind, status)
      SELECT key, value, NEW.id, NEW.kind, NEW.status FROM json_each(NEW.labels);
    END`,
  `CREATE TRIGGER charlotte_runs_label_status AFTER UPDATE OF status ON charlotte_runs
    WHEN NEW.status <> OLD.status AND NEW.labels <> '{}'
    BEGIN
      UPDATE charlotte_labels SET status = NEW.status WHERE run_id = NEW.id;
    END`,
  // The number of pending runs is maintained, so that a limit on them needs no count.
  `CREATE TABLE charlotte_pending (kind TEXT NOT NULL PRIMARY KEY, runs INTEGER NOT NULL CHECK (runs >= 0))
    STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER charlotte_runs_queued AFTER INSERT ON charlotte_runs WHEN NEW.status = 'pending'
    BEGIN
      INSERT INTO charlotte_pending VALUES (NEW.kind, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
    END`,
  `CREATE TRIGGER charlotte_runs_dequeued AFTER UPDATE OF status ON charlotte_runs
    WHEN OLD.status = 'pending' AND NEW.status <> 'pending'
    BEGIN
      UPDATE charlotte_pending SET runs = runs - 1 WHERE kind = OLD.kind;
    END`,
  `CREATE TRIGGER charlotte_runs_deleted AFTER DELETE ON charlotte_runs WHEN OLD.status = 'pending'
    BEGIN
      UPDATE charlotte_pending SET runs = runs - 1 WHERE kind = OLD.kind;
    END`,
  // `seq` is the number of the signal's event; `attempt` was the current one when it came.
  `CREATE TABLE charlotte_signals (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      name TEXT NOT NULL CHECK (name <> ''),
      payload TEXT CHECK (payload IS NULL OR json_valid(payload)),
      used INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (job_id, seq)
    ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_signals_name ON charlotte_signals (job_id, name, seq)`,
  `CREATE INDEX charlotte_signals_attempt ON charlotte_signals (job_id, attempt)`,
  // Signals and stops that producers have recorded, in any process; the manager of the kind applies them.
  `CREATE TABLE charlotte_requests (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      type TEXT NOT NULL,
      name TEXT,
      payload TEXT CHECK (payload IS NULL OR json_valid(payload)),
      sender TEXT CHECK (sender IS NULL OR json_type(sender) = 'object'),
      grace INTEGER,
      at INTEGER NOT NULL
    ) STRICT`,
  `CREATE INDEX charlotte_requests_kind ON charlotte_requests (kind, seq)`,
  `CREATE INDEX charlotte_requests_job ON charlotte_requests (job_id)`,
  // The kinds of which no attempt begins.
  `CREATE TABLE charlotte_pauses (kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''), paused_at INTEGER NOT NULL, paused_by TEXT)
    STRICT, WITHOUT ROWID`,
  // The idempotency key of a pruned run is free.
  `CREATE UNIQUE INDEX charlotte_runs_idempotency_key ON charlotte_runs (kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND pruned = 0`,
  // Idempotency keys of requests that have attached to a job. The key of the start itself is in the row of the run.
  `CREATE TABLE charlotte_attached_keys (
      kind TEXT NOT NULL,
      idempotency_key TEXT NOT NULL,
      request TEXT NOT NULL,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      PRIMARY KEY (kind, idempotency_key)
    ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_attached_keys_job ON charlotte_attached_keys (job_id)`,
  // `pruned` hides a run at once, and its rows are deleted in slices afterwards.
  `CREATE TRIGGER charlotte_runs_prunable BEFORE UPDATE OF pruned ON charlotte_runs
    WHEN NEW.pruned < OLD.pruned OR (NEW.pruned > OLD.pruned AND NOT ${isPrunable("OLD")})
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: only a run that has ended and is not pinned is pruned, and for good');
    END`,
  `CREATE INDEX charlotte_runs_ended ON charlotte_runs (kind, status, ended_at, id) WHERE ${prunable}`,
  // At most one run retries another. Runs of a chain, which are pruned together, name its first.
  `CREATE UNIQUE INDEX charlotte_runs_retry_of ON charlotte_runs (retry_of) WHERE retry_of IS NOT NULL AND pruned = 0`,
  `CREATE INDEX charlotte_runs_chain ON charlotte_runs (chain) WHERE chain IS NOT NULL`,
  // Without this index, the deletion of a run would read all attempts.
  `CREATE INDEX charlotte_attempts_job ON charlotte_attempts (job_id)`,
  // The number of finished runs is maintained, so that a limit on them needs no count.
  `CREATE TABLE charlotte_finished (kind TEXT NOT NULL PRIMARY KEY, runs INTEGER NOT NULL CHECK (runs >= 0))
    STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER charlotte_runs_finished AFTER UPDATE OF status, pinned, pruned ON charlotte_runs
    WHEN ${isPrunable("NEW")} <> ${isPrunable("OLD")}
    BEGIN
      INSERT INTO charlotte_finished VALUES (NEW.kind, 0) ON CONFLICT DO NOTHING;
      UPDATE charlotte_finished SET runs = runs + ${isPrunable("NEW")} - ${isPrunable("OLD")} WHERE kind = NEW.kind;
    END`,
  `CREATE TRIGGER charlotte_runs_inserted AFTER INSERT ON charlotte_runs WHEN ${isPrunable("NEW")}
    BEGIN
      INSERT INTO charlotte_finished VALUES (NEW.kind, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
    END`,
  `CREATE TRIGGER charlotte_runs_removed AFTER DELETE ON charlotte_runs WHEN ${isPrunable("OLD")}
    BEGIN
      UPDATE charlotte_finished SET runs = runs - 1 WHERE kind = OLD.kind;
    END`,
  // New ids are above the id of the newest run, even if that run was deleted.
  `CREATE TABLE charlotte_latest (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT`,
  `CREATE TRIGGER charlotte_runs_latest AFTER DELETE ON charlotte_runs
    WHEN NOT EXISTS (SELECT 1 FROM charlotte_runs WHERE id > OLD.id)
    BEGIN
      INSERT INTO charlotte_latest VALUES (1, OLD.id) ON CONFLICT DO UPDATE SET id = max(id, excluded.id);
    END`,
  // How often runs were hidden, for the caches of other processes. `unmerged`: whether words of removed runs are still in the files of the
  // search index: 0 if they are gone, 1 if they are to be merged away, 2 if a merge has begun.
  `CREATE TABLE charlotte_prunings (
      one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
      prunings INTEGER NOT NULL,
      unmerged INTEGER NOT NULL DEFAULT 0 CHECK (unmerged IN (0, 1, 2))
    ) STRICT`,
  // The ids of removed runs, for a year. Nothing refers to their runs, which are gone.
  `CREATE TABLE charlotte_removed (id TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL, removed_by TEXT) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_removed_at ON charlotte_removed (at)`,
  // Runs are partitioned by id, newest last: a word is indexed with its partition's number in front, so that a query reads the words of one
  // partition at a time, from the newest on. `charlotte_unindexed` holds the runs that were written since they were last indexed.
  `CREATE VIRTUAL TABLE charlotte_search
    USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii')`,
  // The partition of a document is in the upper half of its number.
  `CREATE TABLE charlotte_documents (document INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE) STRICT`,
  `CREATE TABLE charlotte_partitions (
      partition INTEGER PRIMARY KEY,
      first_id TEXT NOT NULL UNIQUE,
      last_id TEXT NOT NULL,
      documents INTEGER NOT NULL
    ) STRICT`,
  `CREATE TABLE charlotte_unindexed (run_id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER charlotte_runs_searched AFTER INSERT ON charlotte_runs
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.id);
    END`,
  `CREATE TRIGGER charlotte_runs_error AFTER UPDATE OF error ON charlotte_runs WHEN NEW.error IS NOT NULL
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.id);
    END`,
  `CREATE TRIGGER charlotte_tasks_planned AFTER INSERT ON charlotte_tasks
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.job_id);
    END`,
  `CREATE TRIGGER charlotte_tasks_title AFTER UPDATE OF title ON charlotte_tasks WHEN NEW.title <> OLD.title
    BEGIN
      INSERT OR IGNORE INTO charlotte_unindexed VALUES (NEW.job_id);
    END`,
  `CREATE TRIGGER charlotte_runs_unsearched AFTER DELETE ON charlotte_runs
    BEGIN
      DELETE FROM charlotte_search WHERE rowid = (SELECT document FROM charlotte_documents WHERE run_id = OLD.id);
      DELETE FROM charlotte_documents WHERE run_id = OLD.id;
      DELETE FROM charlotte_unindexed WHERE run_id = OLD.id;
    END`,
  // Limits of agents: one row for each profile, until the agent works again.
  `CREATE TABLE charlotte_agent_limits (
      agent TEXT NOT NULL PRIMARY KEY CHECK (agent <> ''),
      kind TEXT NOT NULL DEFAULT 'usage' CHECK (kind IN ('usage', 'funds', 'outage', 'unanswered')),
      reason TEXT NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER NOT NULL,
      refusals INTEGER NOT NULL CHECK (refusals >= 0)
    ) STRICT, WITHOUT ROWID`,
  // The turns of an agent in a row without a verdict: one row for each task.
  `CREATE TABLE charlotte_turn_streaks (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      agent TEXT NOT NULL CHECK (agent <> ''),
      unit TEXT NOT NULL CHECK (unit <> ''),
      task INTEGER NOT NULL CHECK (task >= 1),
      kind TEXT NOT NULL CHECK (kind IN ('unanswered', 'unreachable', 'brokenOff')),
      turns INTEGER NOT NULL CHECK (turns >= 0),
      wording TEXT NOT NULL,
      reason TEXT NOT NULL,
      at INTEGER NOT NULL,
      answered_since INTEGER NOT NULL CHECK (answered_since IN (0, 1)),
      PRIMARY KEY (job_id, agent, unit, task)
    ) STRICT, WITHOUT ROWID`,
  // No cluster runs on SQLite, which has only the limits of groups.
  `CREATE TABLE charlotte_nodes (
      id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
      kind TEXT NOT NULL CHECK (kind <> ''),
      address TEXT NOT NULL CHECK (address <> ''),
      pid INTEGER NOT NULL,
      machine TEXT NOT NULL,
      capacity INTEGER NOT NULL CHECK (capacity >= 1),
      joined_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL,
      draining INTEGER NOT NULL DEFAULT 0,
      url TEXT,
      definitions TEXT CHECK (definitions IS NULL OR json_valid(definitions)),
      version TEXT,
      UNIQUE (kind, address)
    ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE charlotte_limits (
      kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''),
      max_jobs INTEGER CHECK (max_jobs >= 1),
      max_per_group INTEGER CHECK (max_per_group >= 1),
      manual INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID`,
  // The generation of the database that the WAL extends; `base` is NULL until the first generation is checkpointed.
  `CREATE TABLE charlotte_generation (
      one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
      generation TEXT NOT NULL,
      base TEXT
    ) STRICT`,
  // A unit that is merged or skipped can have a further task.
  `CREATE TRIGGER charlotte_units_transition BEFORE UPDATE OF state ON charlotte_units
    WHEN OLD.state IN ('merged', 'failed', 'blocked', 'skipped') AND NEW.state <> OLD.state
      AND NOT (OLD.state IN ('merged', 'skipped') AND NEW.state = 'running')
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a unit that is over stays as it ended');
    END`,
  `CREATE TABLE charlotte_questions (
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
    ) STRICT, WITHOUT ROWID`,
  // The cursors of subscribers, and the events that their handlers have failed on.
  `CREATE TABLE charlotte_subscribers (
      name TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
      cursor INTEGER NOT NULL CHECK (cursor >= 0),
      kinds TEXT CHECK (kinds IS NULL OR json_valid(kinds)),
      types TEXT CHECK (types IS NULL OR json_valid(types)),
      hold INTEGER NOT NULL CHECK (hold >= 0),
      skipped INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
      gap_from INTEGER,
      gap_to INTEGER,
      holder TEXT,
      held_until INTEGER,
      created_at INTEGER NOT NULL,
      moved_at INTEGER NOT NULL,
      CHECK ((gap_from IS NULL) = (gap_to IS NULL))
    ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER charlotte_subscribers_forward BEFORE UPDATE OF cursor ON charlotte_subscribers
    WHEN NEW.cursor < OLD.cursor
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: the cursor of a subscriber moves forward only');
    END`,
  `CREATE TABLE charlotte_undelivered (
      subscriber TEXT NOT NULL,
      cursor INTEGER NOT NULL,
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      failed_at INTEGER NOT NULL,
      aside INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)),
      error TEXT NOT NULL,
      PRIMARY KEY (subscriber, cursor)
    ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_undelivered_job ON charlotte_undelivered (job_id)`,
  // The last run may have been pruned, so nothing refers to it. A reset alone moves the last tick back.
  `CREATE TABLE charlotte_schedules (
      kind TEXT NOT NULL CHECK (kind <> ''),
      name TEXT NOT NULL CHECK (name <> ''),
      definition TEXT NOT NULL CHECK (json_valid(definition)),
      registered_at INTEGER NOT NULL,
      last_tick INTEGER,
      last_run TEXT,
      paused_at INTEGER,
      paused_by TEXT,
      skipped INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
      skipped_tick INTEGER,
      skipped_reason TEXT,
      reset_at INTEGER,
      reset_from INTEGER,
      PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER charlotte_schedules_forward BEFORE UPDATE OF last_tick, registered_at ON charlotte_schedules
    WHEN (NEW.last_tick < OLD.last_tick OR (NEW.last_tick IS NULL AND OLD.last_tick IS NOT NULL)
      OR NEW.registered_at < OLD.registered_at) AND NEW.reset_at IS OLD.reset_at
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: the last tick of a schedule moves forward only');
    END`,
  // Steps belong to the first run of a chain of retries; `run_id` is the run that has done a step, and `tries` how often that run had been
  // retried before. Children likewise: `run_id` is the run that has asked for a child last.
  `CREATE TABLE charlotte_steps (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      name TEXT NOT NULL CHECK (name <> ''),
      seq INTEGER NOT NULL CHECK (seq >= 1),
      run_id TEXT NOT NULL,
      attempt INTEGER NOT NULL CHECK (attempt >= 1),
      tries INTEGER NOT NULL CHECK (tries >= 0),
      at INTEGER NOT NULL,
      millis INTEGER NOT NULL CHECK (millis >= 0),
      ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
      value TEXT CHECK (value IS NULL OR json_valid(value)),
      PRIMARY KEY (job_id, name)
    ) STRICT`,
  `CREATE TRIGGER charlotte_steps_final BEFORE UPDATE ON charlotte_steps
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a recorded step never changes');
    END`,
  `CREATE TABLE charlotte_children (
      job_id TEXT NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
      name TEXT NOT NULL CHECK (name <> ''),
      child_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      run_id TEXT NOT NULL,
      tries INTEGER NOT NULL CHECK (tries >= 0),
      on_stop TEXT NOT NULL CHECK (on_stop IN ('stop', 'leave')),
      PRIMARY KEY (job_id, name)
    ) STRICT, WITHOUT ROWID`,
  // What is decided about executions of workflows. An execution may start later, so nothing refers to its run.
  `CREATE TABLE charlotte_decisions (
      kind TEXT NOT NULL CHECK (kind <> ''),
      key TEXT NOT NULL CHECK (key <> ''),
      name TEXT NOT NULL CHECK (name <> ''),
      at INTEGER NOT NULL,
      value TEXT NOT NULL CHECK (json_valid(value)),
      PRIMARY KEY (kind, key, name)
    ) STRICT`,
  `CREATE INDEX charlotte_decisions_at ON charlotte_decisions (kind, at)`,
  `CREATE TRIGGER charlotte_decisions_final BEFORE UPDATE ON charlotte_decisions
    BEGIN
      SELECT RAISE(ABORT, 'charlotte: a decision never changes');
    END`,
  // How many jobs of a group run, and which run begins next. The transaction that changes a run writes the row of its group from the rows of
  // the runs.
  `CREATE TABLE charlotte_groups (
      kind TEXT NOT NULL,
      grp TEXT NOT NULL,
      active INTEGER NOT NULL CHECK (active >= 0),
      due INTEGER NOT NULL,
      head TEXT,
      status TEXT,
      priority INTEGER NOT NULL,
      rank INTEGER NOT NULL,
      PRIMARY KEY (kind, grp),
      CHECK (due = 0 OR head IS NOT NULL)
    ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX charlotte_groups_due ON charlotte_groups (kind, priority DESC, active, rank, head) WHERE due = 1`,
  `INSERT INTO charlotte_migrations (migration_id, name) VALUES (1, 'runs'), (2, 'events'), (3, 'owners'), (4, 'attempts'), (5, 'submission'), (6, 'work'), (7, 'owner_locks'), (8, 'v0_2')`,
  `INSERT INTO charlotte_generation VALUES (1, lower(hex(randomblob(16))), NULL)`
]
