import { isTransition, statuses, terminal, waitingForNothing } from "../../../sql/stateMachine.js"

/**
 * Runs. The schema enforces the state machine as well. JSON is TEXT, since `jsonb` refuses values that have to be kept; a cast to
 * `json` checks it. `sender` has asked for what a run waits to do, its retry or its next attempt, and is JSON as `Sender` in the
 * domain. `parent` is the run that has asked for this one last, and `child_ends` counts the ends of its own children, if it has any. Ids are compared byte by byte, regardless of the collation of the database.
 */

/**
 * Every column but `pinned`, `pruned`, `parent`, `child_ends`, `trace`, `node`, `runner` and those of refusals: the recorded data of a run,
 * which is final once it has ended.
 */
const recorded =
  "id, kind, status, attempt, key, start_key, config, labels, submission, idempotency_key, request, priority, created_at, start_at, " +
  "started_at, stopping_at, ended_at, waits_for, due_at, parked, woken_by, sender, replaces, crashes, tries, result, error, outbox, searched, progress, retry_of, chain, grp"

const refuse = (name: string, when: string, message: string) =>
  `CREATE TRIGGER ${name} ${when} EXECUTE FUNCTION charlotte_refuse('charlotte: ${message}')`

export const runs = [
  `CREATE TABLE charlotte_runs (
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
    CHECK ((status IN ${terminal}) = (ended_at IS NOT NULL)),
    CHECK ((status = 'pending') = (started_at IS NULL) OR status IN ('failed', 'cancelled')),
    CHECK (stopping_at IS NULL OR status NOT IN ('pending', 'interrupted', 'parked')),
    CHECK ((status = 'completed') = (result IS NOT NULL)),
    CHECK (CASE status WHEN 'failed' THEN error IS NOT NULL WHEN 'cancelled' THEN TRUE ELSE error IS NULL END),
    CHECK ((waits_for IS NULL) = (status IN ${waitingForNothing})),
    CHECK ((status = 'parked') = (parked IS NOT NULL)),
    CHECK (waits_for IS DISTINCT FROM 'time' OR due_at IS NOT NULL),
    CHECK (waits_for IS DISTINCT FROM (CASE WHEN grp IS NULL THEN 'group' ELSE 'permit' END)),
    CHECK ((idempotency_key IS NULL) = (request IS NULL))
  )`,
  "CREATE INDEX charlotte_runs_kind ON charlotte_runs (kind, id)",
  "CREATE INDEX charlotte_runs_status ON charlotte_runs (status, id)",

  `CREATE FUNCTION charlotte_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
   END $$`,
  refuse(
    "charlotte_runs_status",
    `BEFORE INSERT ON charlotte_runs FOR EACH ROW WHEN (
       NEW.status NOT IN ${statuses})`,
    "a run has no such status"
  ),
  refuse(
    "charlotte_runs_transition",
    `BEFORE UPDATE OF ${recorded} ON charlotte_runs FOR EACH ROW WHEN (NOT (
      ${isTransition}))`,
    "this change of status is not in the state machine"
  ),
  refuse(
    "charlotte_runs_attempt",
    `BEFORE UPDATE ON charlotte_runs FOR EACH ROW WHEN (NEW.attempt <> OLD.attempt +
       CASE WHEN OLD.status IN ('interrupted', 'parked') AND NEW.status = 'running' THEN 1 ELSE 0 END)`,
    "an interrupted or parked run goes on as its next attempt, and nothing else begins one"
  ),
  refuse(
    "charlotte_runs_identity",
    `BEFORE UPDATE ON charlotte_runs FOR EACH ROW WHEN (
       NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.config <> OLD.config OR NEW.labels <> OLD.labels
       OR (NEW.submission IS DISTINCT FROM OLD.submission AND (OLD.submission IS NOT NULL OR OLD.status <> 'pending'))
       OR NEW.start_key IS DISTINCT FROM OLD.start_key
       OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key OR NEW.request IS DISTINCT FROM OLD.request
       OR (NEW.priority <> OLD.priority AND OLD.ended_at IS NOT NULL) OR NEW.created_at <> OLD.created_at
       OR (NEW.start_at IS DISTINCT FROM OLD.start_at AND OLD.status <> 'pending')
       OR NEW.retry_of IS DISTINCT FROM OLD.retry_of OR NEW.chain IS DISTINCT FROM OLD.chain
       OR NEW.grp IS DISTINCT FROM OLD.grp)`,
    "what a run was submitted with never changes"
  )
]
