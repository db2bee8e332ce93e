CREATE TABLE charlotte_runs (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 26),
  kind TEXT NOT NULL CHECK (kind <> ''),
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  key TEXT,
  start_key TEXT,
  config TEXT NOT NULL CHECK (CAST(config AS json) IS NOT NULL),
  labels TEXT NOT NULL CHECK (json_typeof(CAST(labels AS json)) = 'object'),
  submission TEXT CHECK (submission IS NULL OR CAST(submission AS json) IS NOT NULL),
  idempotency_key TEXT,
  request TEXT,
  priority INTEGER NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  start_at BIGINT,
  started_at BIGINT,
  stopping_at BIGINT,
  ended_at BIGINT,
  waits_for TEXT,
  due_at BIGINT,
  parked TEXT CHECK (parked IS NULL OR json_typeof(CAST(parked AS json)) = 'object'),
  woken_by TEXT,
  sender TEXT CHECK (sender IS NULL OR json_typeof(CAST(sender AS json)) = 'object'),
  replaces INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  result TEXT CHECK (result IS NULL OR CAST(result AS json) IS NOT NULL),
  error TEXT CHECK (error IS NULL OR CAST(error AS json) IS NOT NULL),
  outbox INTEGER NOT NULL DEFAULT 0 CHECK (outbox = 0 OR status = 'pending'),
  searched TEXT CHECK (searched IS NULL OR json_typeof(CAST(searched AS json)) = 'object'),
  progress TEXT CHECK (progress IS NULL OR json_typeof(CAST(progress AS json)) = 'object'),
  pinned INTEGER NOT NULL DEFAULT 0,
  pruned INTEGER NOT NULL DEFAULT 0,
  retry_of TEXT COLLATE "C",
  chain TEXT COLLATE "C",
  grp TEXT CHECK (grp <> ''),
  parent TEXT COLLATE "C",
  child_ends INTEGER,
  trace TEXT,
  node TEXT,
  runner TEXT,
  refused_by TEXT CHECK (refused_by IS NULL OR json_typeof(CAST(refused_by AS json)) = 'object'),
  refused_at BIGINT CHECK ((refused_by IS NULL) = (refused_at IS NULL)),
  CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
  CHECK ((status = 'pending') = (started_at IS NULL) OR status IN ('failed', 'cancelled')),
  CHECK (stopping_at IS NULL OR status NOT IN ('pending', 'interrupted', 'parked')),
  CHECK ((status = 'completed') = (result IS NOT NULL)),
  CHECK (CASE status WHEN 'failed' THEN error IS NOT NULL WHEN 'cancelled' THEN TRUE ELSE error IS NULL END),
  CHECK ((waits_for IS NULL) = (status IN ('running', 'completed', 'failed', 'cancelled'))),
  CHECK ((status = 'parked') = (parked IS NOT NULL)),
  CHECK (waits_for IS DISTINCT FROM 'time' OR due_at IS NOT NULL),
  CHECK (waits_for IS DISTINCT FROM (CASE WHEN grp IS NULL THEN 'group' ELSE 'permit' END)),
  CHECK ((idempotency_key IS NULL) = (request IS NULL))
);

CREATE INDEX charlotte_runs_kind ON charlotte_runs (kind, id);

CREATE INDEX charlotte_runs_status ON charlotte_runs (status, id);

CREATE FUNCTION charlotte_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER charlotte_runs_status BEFORE INSERT ON charlotte_runs FOR EACH ROW WHEN (
NEW.status NOT IN ('pending', 'running', 'interrupted', 'parked', 'completed', 'failed', 'cancelled')) EXECUTE FUNCTION charlotte_refuse('charlotte: a run has no such status');

CREATE TRIGGER charlotte_runs_transition BEFORE UPDATE OF id, kind, status, attempt, key, start_key, config, labels, submission, idempotency_key, request, priority, created_at, start_at, started_at, stopping_at, ended_at, waits_for, due_at, parked, woken_by, sender, replaces, crashes, tries, result, error, outbox, searched, progress, retry_of, chain, grp ON charlotte_runs FOR EACH ROW WHEN (NOT (
(OLD.status = 'pending' AND NEW.status IN ('pending', 'running', 'failed', 'cancelled'))
OR (OLD.status = 'running' AND NEW.status IN ('running', 'completed', 'failed', 'cancelled', 'interrupted', 'parked'))
OR (OLD.status = 'interrupted' AND NEW.status IN ('interrupted', 'running', 'failed', 'cancelled'))
OR (OLD.status = 'parked' AND NEW.status IN ('parked', 'running', 'failed', 'cancelled')))) EXECUTE FUNCTION charlotte_refuse('charlotte: this change of status is not in the state machine');

CREATE TRIGGER charlotte_runs_attempt BEFORE UPDATE ON charlotte_runs FOR EACH ROW WHEN (NEW.attempt <> OLD.attempt +
CASE WHEN OLD.status IN ('interrupted', 'parked') AND NEW.status = 'running' THEN 1 ELSE 0 END) EXECUTE FUNCTION charlotte_refuse('charlotte: an interrupted or parked run goes on as its next attempt, and nothing else begins one');

CREATE TRIGGER charlotte_runs_identity BEFORE UPDATE ON charlotte_runs FOR EACH ROW WHEN (
NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
OR (NEW.submission IS DISTINCT FROM OLD.submission AND (OLD.submission IS NOT NULL OR OLD.status <> 'pending'))
OR NEW.start_key IS DISTINCT FROM OLD.start_key
OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key OR NEW.request IS DISTINCT FROM OLD.request
OR (NEW.priority <> OLD.priority AND OLD.ended_at IS NOT NULL) OR NEW.created_at <> OLD.created_at
OR (NEW.start_at IS DISTINCT FROM OLD.start_at AND OLD.status <> 'pending')
OR NEW.retry_of IS DISTINCT FROM OLD.retry_of OR NEW.chain IS DISTINCT FROM OLD.chain
OR NEW.grp IS DISTINCT FROM OLD.grp) EXECUTE FUNCTION charlotte_refuse('charlotte: what a run was submitted with never changes');

CREATE TABLE charlotte_log (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  cursor BIGINT NOT NULL CHECK (cursor >= 0)
);

INSERT INTO charlotte_log VALUES (1, 0);

CREATE TABLE charlotte_events (
  cursor BIGINT NOT NULL PRIMARY KEY,
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL CHECK (seq >= 1),
  at BIGINT NOT NULL,
  type TEXT NOT NULL CHECK (type <> ''),
  unit TEXT,
  task INTEGER,
  payload TEXT,
  UNIQUE (job_id, seq)
);

CREATE UNIQUE INDEX charlotte_events_terminal ON charlotte_events (job_id)
WHERE type IN ('job.completed', 'job.failed', 'job.cancelled');

CREATE FUNCTION charlotte_events_terminal_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF 'job.' || (SELECT status FROM charlotte_runs WHERE id = NEW.job_id) IS DISTINCT FROM NEW.type THEN
    RAISE EXCEPTION 'charlotte: a terminal event says what the status of its run says' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER charlotte_events_terminal_status BEFORE INSERT ON charlotte_events FOR EACH ROW
WHEN (NEW.type IN ('job.completed', 'job.failed', 'job.cancelled'))
EXECUTE FUNCTION charlotte_events_terminal_status();

CREATE TRIGGER charlotte_events_append_only BEFORE UPDATE ON charlotte_events FOR EACH ROW
EXECUTE FUNCTION charlotte_refuse('charlotte: events are append-only');

CREATE TABLE charlotte_owners (
  kind TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  pid INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  start_time TEXT NOT NULL,
  pid_namespace TEXT NOT NULL,
  lock_path TEXT,
  lock_file TEXT,
  machine TEXT
);

CREATE TABLE charlotte_attempts (
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
);

CREATE INDEX charlotte_attempts_unclosed ON charlotte_attempts (job_id) WHERE closed_at IS NULL;

CREATE INDEX charlotte_attempts_job ON charlotte_attempts (job_id);

CREATE TABLE charlotte_units (
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
);

CREATE TRIGGER charlotte_units_transition BEFORE UPDATE OF state ON charlotte_units FOR EACH ROW
WHEN (OLD.state IN ('merged', 'failed', 'blocked', 'skipped') AND NEW.state <> OLD.state
  AND NOT (OLD.state IN ('merged', 'skipped') AND NEW.state = 'running'))
EXECUTE FUNCTION charlotte_refuse('charlotte: a unit that is over stays as it ended');

CREATE TABLE charlotte_tasks (
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
);

CREATE TRIGGER charlotte_tasks_transition BEFORE UPDATE OF state ON charlotte_tasks FOR EACH ROW
WHEN (OLD.state IN ('completed', 'failed', 'skipped') AND NEW.state <> OLD.state)
EXECUTE FUNCTION charlotte_refuse('charlotte: a task that is over stays as it ended');

CREATE TABLE charlotte_questions (
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
);

CREATE INDEX charlotte_runs_kind_status ON charlotte_runs (kind, status, id);

CREATE TABLE charlotte_labels (
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  PRIMARY KEY (name, value, run_id)
);

CREATE INDEX charlotte_labels_run ON charlotte_labels (run_id);

CREATE INDEX charlotte_labels_kind ON charlotte_labels (name, value, kind, run_id);

CREATE INDEX charlotte_labels_status ON charlotte_labels (name, value, status, run_id);

CREATE INDEX charlotte_labels_kind_status ON charlotte_labels (name, value, kind, status, run_id);

CREATE FUNCTION charlotte_runs_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO charlotte_labels (name, value, run_id, kind, status)
  SELECT l.key, l.value, NEW.id, NEW.kind, NEW.status FROM json_each_text(CAST(NEW.labels AS json)) l;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_labels AFTER INSERT ON charlotte_runs FOR EACH ROW WHEN (NEW.labels <> '{}')
EXECUTE FUNCTION charlotte_runs_labels();

CREATE FUNCTION charlotte_runs_label_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE charlotte_labels SET status = NEW.status WHERE run_id = NEW.id;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_label_status AFTER UPDATE OF status ON charlotte_runs FOR EACH ROW
WHEN (NEW.status <> OLD.status AND NEW.labels <> '{}') EXECUTE FUNCTION charlotte_runs_label_status();

CREATE UNIQUE INDEX charlotte_runs_held_key ON charlotte_runs (kind, key)
WHERE key IS NOT NULL AND ended_at IS NULL AND waits_for IS DISTINCT FROM 'key';

CREATE INDEX charlotte_runs_awaited_key ON charlotte_runs (kind, key, id) WHERE waits_for = 'key';

CREATE UNIQUE INDEX charlotte_runs_held_start_key ON charlotte_runs (kind, start_key)
WHERE start_key IS NOT NULL AND ended_at IS NULL AND waits_for IS DISTINCT FROM 'key';

CREATE INDEX charlotte_runs_awaited_start_key ON charlotte_runs (kind, start_key, id) WHERE waits_for = 'key';

CREATE INDEX charlotte_runs_due ON charlotte_runs (kind, status, priority DESC, id) WHERE waits_for = 'permit';

CREATE INDEX charlotte_runs_due_parked ON charlotte_runs (kind, priority DESC, (coalesce(woken_by, '') = 'retry'), id)
WHERE waits_for = 'permit' AND status = 'parked';

CREATE INDEX charlotte_runs_due_for_stop ON charlotte_runs (kind, id) WHERE woken_by = 'stop';

CREATE INDEX charlotte_runs_due_at ON charlotte_runs (kind, due_at, id) WHERE waits_for = 'time';

CREATE INDEX charlotte_runs_refused ON charlotte_runs (kind, refused_at) WHERE refused_at IS NOT NULL;

CREATE TABLE charlotte_pending (kind TEXT NOT NULL PRIMARY KEY, runs BIGINT NOT NULL CHECK (runs >= 0));

CREATE FUNCTION charlotte_runs_queued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO charlotte_pending AS p VALUES (NEW.kind, 1) ON CONFLICT (kind) DO UPDATE SET runs = p.runs + 1;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_queued AFTER INSERT ON charlotte_runs FOR EACH ROW
WHEN (NEW.status = 'pending' AND NEW.outbox = 0) EXECUTE FUNCTION charlotte_runs_queued();

CREATE TRIGGER charlotte_runs_left_outbox AFTER UPDATE OF outbox ON charlotte_runs FOR EACH ROW
WHEN (NEW.outbox < OLD.outbox) EXECUTE FUNCTION charlotte_runs_queued();

CREATE FUNCTION charlotte_runs_dequeued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE charlotte_pending SET runs = runs - 1 WHERE kind = OLD.kind;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_dequeued AFTER UPDATE OF status ON charlotte_runs FOR EACH ROW
WHEN (OLD.status = 'pending' AND NEW.status <> 'pending') EXECUTE FUNCTION charlotte_runs_dequeued();

CREATE TRIGGER charlotte_runs_deleted AFTER DELETE ON charlotte_runs FOR EACH ROW
WHEN (OLD.status = 'pending' AND OLD.outbox = 0) EXECUTE FUNCTION charlotte_runs_dequeued();

CREATE TABLE charlotte_pauses (kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''), paused_at BIGINT NOT NULL, paused_by TEXT);

CREATE TABLE charlotte_signals (
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  name TEXT NOT NULL CHECK (name <> ''),
  payload TEXT CHECK (payload IS NULL OR CAST(payload AS json) IS NOT NULL),
  used INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job_id, seq)
);

CREATE INDEX charlotte_signals_name ON charlotte_signals (job_id, name, seq);

CREATE INDEX charlotte_signals_attempt ON charlotte_signals (job_id, attempt);

CREATE INDEX charlotte_runs_outbox ON charlotte_runs (kind, id) WHERE outbox = 1;

CREATE FUNCTION charlotte_runs_inserted_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('charlotte', 'outbox ' || left(NEW.kind, 1000));
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_inserted_outbox AFTER INSERT ON charlotte_runs FOR EACH ROW WHEN (NEW.outbox = 1)
EXECUTE FUNCTION charlotte_runs_inserted_outbox();

CREATE TABLE charlotte_requests (
  seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  kind TEXT NOT NULL,
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  name TEXT,
  payload TEXT CHECK (payload IS NULL OR CAST(payload AS json) IS NOT NULL),
  sender TEXT CHECK (sender IS NULL OR json_typeof(CAST(sender AS json)) = 'object'),
  grace BIGINT,
  at BIGINT NOT NULL
);

CREATE INDEX charlotte_requests_kind ON charlotte_requests (kind, seq);

CREATE INDEX charlotte_requests_job ON charlotte_requests (job_id);

CREATE TRIGGER charlotte_requests_inserted AFTER INSERT ON charlotte_requests FOR EACH ROW
EXECUTE FUNCTION charlotte_runs_inserted_outbox();

CREATE TABLE charlotte_search (rowid BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL);

CREATE INDEX charlotte_search_words ON charlotte_search USING gin (words);

CREATE TABLE charlotte_documents (document BIGINT NOT NULL PRIMARY KEY, run_id TEXT COLLATE "C" NOT NULL UNIQUE);

CREATE TABLE charlotte_partitions (
  partition INTEGER NOT NULL PRIMARY KEY,
  first_id TEXT COLLATE "C" NOT NULL UNIQUE,
  last_id TEXT COLLATE "C" NOT NULL,
  documents INTEGER NOT NULL
);

CREATE TABLE charlotte_unindexed (run_id TEXT COLLATE "C" NOT NULL PRIMARY KEY);

CREATE FUNCTION charlotte_runs_searched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO charlotte_unindexed VALUES (NEW.id)
ON CONFLICT (run_id) DO UPDATE SET run_id = excluded.run_id;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_searched AFTER INSERT ON charlotte_runs FOR EACH ROW
EXECUTE FUNCTION charlotte_runs_searched();

CREATE TRIGGER charlotte_runs_error AFTER UPDATE OF error ON charlotte_runs FOR EACH ROW
WHEN (NEW.error IS NOT NULL) EXECUTE FUNCTION charlotte_runs_searched();

CREATE FUNCTION charlotte_tasks_searched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO charlotte_unindexed VALUES (NEW.job_id)
ON CONFLICT (run_id) DO UPDATE SET run_id = excluded.run_id;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_tasks_planned AFTER INSERT ON charlotte_tasks FOR EACH ROW
EXECUTE FUNCTION charlotte_tasks_searched();

CREATE TRIGGER charlotte_tasks_title AFTER UPDATE OF title ON charlotte_tasks FOR EACH ROW
WHEN (NEW.title <> OLD.title) EXECUTE FUNCTION charlotte_tasks_searched();

CREATE FUNCTION charlotte_runs_unsearched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM charlotte_search WHERE rowid = (SELECT document FROM charlotte_documents WHERE run_id = OLD.id);
  DELETE FROM charlotte_documents WHERE run_id = OLD.id;
  DELETE FROM charlotte_unindexed WHERE run_id = OLD.id;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_unsearched AFTER DELETE ON charlotte_runs FOR EACH ROW
EXECUTE FUNCTION charlotte_runs_unsearched();

CREATE TABLE charlotte_agent_limits (
  agent TEXT NOT NULL PRIMARY KEY CHECK (agent <> ''),
  kind TEXT NOT NULL DEFAULT 'usage' CHECK (kind IN ('usage', 'funds', 'outage', 'unanswered')),
  reason TEXT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  refusals INTEGER NOT NULL CHECK (refusals >= 0)
);

CREATE TABLE charlotte_turn_streaks (
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
);

CREATE TRIGGER charlotte_runs_prunable BEFORE UPDATE OF pruned ON charlotte_runs FOR EACH ROW
WHEN (NEW.pruned < OLD.pruned OR (NEW.pruned > OLD.pruned AND NOT (OLD.ended_at IS NOT NULL AND OLD.pinned = 0 AND OLD.pruned = 0)))
EXECUTE FUNCTION charlotte_refuse('charlotte: only a run that has ended and is not pinned is pruned, and for good');

CREATE UNIQUE INDEX charlotte_runs_idempotency_key ON charlotte_runs (kind, idempotency_key)
WHERE idempotency_key IS NOT NULL AND pruned = 0;

CREATE INDEX charlotte_runs_ended ON charlotte_runs (kind, status, ended_at, id) WHERE ended_at IS NOT NULL AND pinned = 0 AND pruned = 0;

CREATE UNIQUE INDEX charlotte_runs_retry_of ON charlotte_runs (retry_of) WHERE retry_of IS NOT NULL AND pruned = 0;

CREATE INDEX charlotte_runs_chain ON charlotte_runs (chain) WHERE chain IS NOT NULL;

CREATE INDEX charlotte_runs_pruned ON charlotte_runs (kind, id) WHERE pruned = 1;

CREATE TABLE charlotte_finished (kind TEXT NOT NULL PRIMARY KEY, runs BIGINT NOT NULL CHECK (runs >= 0));

CREATE FUNCTION charlotte_runs_finished() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO charlotte_finished VALUES (NEW.kind, 0) ON CONFLICT DO NOTHING;
  UPDATE charlotte_finished SET runs = runs + CASE WHEN (NEW.ended_at IS NOT NULL AND NEW.pinned = 0 AND NEW.pruned = 0) THEN 1 ELSE 0 END - CASE WHEN (OLD.ended_at IS NOT NULL AND OLD.pinned = 0 AND OLD.pruned = 0) THEN 1 ELSE 0 END WHERE kind = NEW.kind;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER charlotte_runs_finished AFTER UPDATE OF status, pinned, pruned ON charlotte_runs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN ((NEW.ended_at IS NOT NULL AND NEW.pinned = 0 AND NEW.pruned = 0) <> (OLD.ended_at IS NOT NULL AND OLD.pinned = 0 AND OLD.pruned = 0)) EXECUTE FUNCTION charlotte_runs_finished();

CREATE FUNCTION charlotte_runs_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO charlotte_finished AS f VALUES (NEW.kind, 1) ON CONFLICT (kind) DO UPDATE SET runs = f.runs + 1;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER charlotte_runs_inserted AFTER INSERT ON charlotte_runs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN ((NEW.ended_at IS NOT NULL AND NEW.pinned = 0 AND NEW.pruned = 0)) EXECUTE FUNCTION charlotte_runs_inserted();

CREATE FUNCTION charlotte_runs_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE charlotte_finished SET runs = runs - 1 WHERE kind = OLD.kind;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER charlotte_runs_removed AFTER DELETE ON charlotte_runs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN ((OLD.ended_at IS NOT NULL AND OLD.pinned = 0 AND OLD.pruned = 0)) EXECUTE FUNCTION charlotte_runs_removed();

CREATE TABLE charlotte_latest (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), id TEXT COLLATE "C" NOT NULL);

CREATE FUNCTION charlotte_runs_latest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM charlotte_runs WHERE id > OLD.id) THEN
    INSERT INTO charlotte_latest AS l VALUES (1, OLD.id)
    ON CONFLICT (one) DO UPDATE SET id = greatest(l.id, excluded.id);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER charlotte_runs_latest AFTER DELETE ON charlotte_runs FOR EACH ROW
EXECUTE FUNCTION charlotte_runs_latest();

CREATE TABLE charlotte_prunings (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), prunings BIGINT NOT NULL);

CREATE TABLE charlotte_removed (id TEXT COLLATE "C" NOT NULL PRIMARY KEY, at BIGINT NOT NULL, removed_by TEXT);

CREATE INDEX charlotte_removed_at ON charlotte_removed (at);

CREATE INDEX charlotte_runs_queued_until ON charlotte_runs (kind, due_at, id)
WHERE status = 'pending' AND waits_for = 'time';

CREATE INDEX charlotte_runs_queued_behind ON charlotte_runs (kind, id) WHERE status = 'pending' AND waits_for = 'key';

CREATE TABLE charlotte_attached_keys (
  kind TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request TEXT NOT NULL,
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  PRIMARY KEY (kind, idempotency_key)
);

CREATE INDEX charlotte_attached_keys_job ON charlotte_attached_keys (job_id);

CREATE TABLE charlotte_nodes (
  id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
  kind TEXT NOT NULL CHECK (kind <> ''),
  address TEXT NOT NULL CHECK (address <> ''),
  pid INTEGER NOT NULL,
  machine TEXT NOT NULL,
  capacity INTEGER NOT NULL CHECK (capacity >= 1),
  joined_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  draining INTEGER NOT NULL DEFAULT 0,
  url TEXT,
  definitions TEXT,
  version TEXT,
  UNIQUE (kind, address)
);

CREATE TABLE charlotte_limits (
  kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''),
  max_jobs INTEGER CHECK (max_jobs >= 1),
  max_per_group INTEGER CHECK (max_per_group >= 1),
  manual INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX charlotte_runs_share ON charlotte_runs (kind, status, ((strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(id, 24, 1)) * 1024 + strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(id, 25, 1)) * 32 + strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(id, 26, 1)) * 1) % 300), priority DESC, (CASE WHEN status = 'interrupted' THEN 0
  WHEN status = 'parked' AND coalesce(woken_by, '') <> 'retry' THEN 1 ELSE 2 END), id)
WHERE waits_for = 'permit' AND refused_by IS NULL;

CREATE TABLE charlotte_subscribers (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (name <> ''),
  cursor BIGINT NOT NULL CHECK (cursor >= 0),
  kinds TEXT CHECK (kinds IS NULL OR CAST(kinds AS json) IS NOT NULL),
  types TEXT CHECK (types IS NULL OR CAST(types AS json) IS NOT NULL),
  hold BIGINT NOT NULL CHECK (hold >= 0),
  skipped BIGINT NOT NULL DEFAULT 0 CHECK (skipped >= 0),
  gap_from BIGINT,
  gap_to BIGINT,
  holder TEXT,
  held_until BIGINT,
  created_at BIGINT NOT NULL,
  moved_at BIGINT NOT NULL,
  CHECK ((gap_from IS NULL) = (gap_to IS NULL))
);

CREATE TRIGGER charlotte_subscribers_forward BEFORE UPDATE OF cursor ON charlotte_subscribers FOR EACH ROW
WHEN (NEW.cursor < OLD.cursor)
EXECUTE FUNCTION charlotte_refuse('charlotte: the cursor of a subscriber moves forward only');

CREATE TABLE charlotte_undelivered (
  subscriber TEXT COLLATE "C" NOT NULL,
  cursor BIGINT NOT NULL,
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  failed_at BIGINT NOT NULL,
  aside INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)),
  error TEXT NOT NULL,
  PRIMARY KEY (subscriber, cursor)
);

CREATE INDEX charlotte_undelivered_job ON charlotte_undelivered (job_id);

CREATE TABLE charlotte_schedules (
  kind TEXT COLLATE "C" NOT NULL CHECK (kind <> ''),
  name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
  definition TEXT NOT NULL CHECK (CAST(definition AS json) IS NOT NULL),
  registered_at BIGINT NOT NULL,
  last_tick BIGINT,
  last_run TEXT COLLATE "C",
  paused_at BIGINT,
  paused_by TEXT,
  skipped BIGINT NOT NULL DEFAULT 0 CHECK (skipped >= 0),
  skipped_tick BIGINT,
  skipped_reason TEXT,
  reset_at BIGINT,
  reset_from BIGINT,
  PRIMARY KEY (kind, name)
);

CREATE TRIGGER charlotte_schedules_forward BEFORE UPDATE OF last_tick, registered_at ON charlotte_schedules FOR EACH ROW
WHEN ((NEW.last_tick < OLD.last_tick OR (NEW.last_tick IS NULL AND OLD.last_tick IS NOT NULL)
  OR NEW.registered_at < OLD.registered_at) AND NEW.reset_at IS NOT DISTINCT FROM OLD.reset_at)
EXECUTE FUNCTION charlotte_refuse('charlotte: the last tick of a schedule moves forward only');

CREATE TABLE charlotte_steps (
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  run_id TEXT COLLATE "C" NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  tries INTEGER NOT NULL CHECK (tries >= 0),
  at BIGINT NOT NULL,
  millis BIGINT NOT NULL CHECK (millis >= 0),
  ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
  value TEXT CHECK (value IS NULL OR CAST(value AS json) IS NOT NULL),
  PRIMARY KEY (job_id, name)
);

CREATE TRIGGER charlotte_steps_final BEFORE UPDATE ON charlotte_steps FOR EACH ROW
EXECUTE FUNCTION charlotte_refuse('charlotte: a recorded step never changes');

CREATE TABLE charlotte_children (
  job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
  name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
  child_id TEXT COLLATE "C" NOT NULL,
  kind TEXT NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL,
  tries INTEGER NOT NULL CHECK (tries >= 0),
  on_stop TEXT NOT NULL CHECK (on_stop IN ('stop', 'leave')),
  PRIMARY KEY (job_id, name)
);

CREATE TABLE charlotte_decisions (
  kind TEXT COLLATE "C" NOT NULL CHECK (kind <> ''),
  key TEXT COLLATE "C" NOT NULL CHECK (key <> ''),
  name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
  at BIGINT NOT NULL,
  value TEXT NOT NULL CHECK (CAST(value AS json) IS NOT NULL),
  PRIMARY KEY (kind, key, name)
);

CREATE INDEX charlotte_decisions_at ON charlotte_decisions (kind, at);

CREATE TRIGGER charlotte_decisions_final BEFORE UPDATE ON charlotte_decisions FOR EACH ROW
EXECUTE FUNCTION charlotte_refuse('charlotte: a decision never changes');

CREATE INDEX charlotte_runs_active_group ON charlotte_runs (kind, grp) WHERE status = 'running' AND grp IS NOT NULL;

CREATE INDEX charlotte_runs_grouped ON charlotte_runs (kind, grp, priority DESC, (CASE WHEN status = 'interrupted' THEN 0
  WHEN status = 'parked' AND coalesce(woken_by, '') <> 'retry' THEN 1 ELSE 2 END), id)
WHERE waits_for = 'group';

CREATE INDEX charlotte_runs_queued_grouped ON charlotte_runs (kind, priority DESC, id)
WHERE status = 'pending' AND waits_for = 'group';

CREATE TABLE charlotte_groups (
  kind TEXT NOT NULL,
  grp TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active >= 0),
  due INTEGER NOT NULL,
  head TEXT COLLATE "C",
  status TEXT,
  priority INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  PRIMARY KEY (kind, grp),
  CHECK (due = 0 OR head IS NOT NULL)
);

CREATE INDEX charlotte_groups_due ON charlotte_groups (kind, priority DESC, active, rank, head) WHERE due = 1;

CREATE INDEX charlotte_groups_share ON charlotte_groups (kind, ((strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(head, 24, 1)) * 1024 + strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(head, 25, 1)) * 32 + strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(head, 26, 1)) * 1) % 300), priority DESC, active, rank, head)
WHERE due = 1;

CREATE TABLE charlotte_changed_groups (
  seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  kind TEXT NOT NULL,
  grp TEXT NOT NULL
);

CREATE INDEX charlotte_changed_groups_kind ON charlotte_changed_groups (kind);

INSERT INTO charlotte_migrations (migration_id, name) VALUES (8, 'v0_2');
