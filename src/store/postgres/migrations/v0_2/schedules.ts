/** The schedules of jobs. The last run may have been pruned, so nothing refers to it. A reset alone moves the last tick back. */
export const schedules = [
  `CREATE TABLE charlotte_schedules (
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
  )`,
  `CREATE TRIGGER charlotte_schedules_forward BEFORE UPDATE OF last_tick, registered_at ON charlotte_schedules FOR EACH ROW
   WHEN ((NEW.last_tick < OLD.last_tick OR (NEW.last_tick IS NULL AND OLD.last_tick IS NOT NULL)
     OR NEW.registered_at < OLD.registered_at) AND NEW.reset_at IS NOT DISTINCT FROM OLD.reset_at)
   EXECUTE FUNCTION charlotte_refuse('charlotte: the last tick of a schedule moves forward only')`
]
