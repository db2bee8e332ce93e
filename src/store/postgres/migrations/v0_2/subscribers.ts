/** The cursors of subscribers, and the events that their handlers have failed on. */
export const subscribers = [
  `CREATE TABLE charlotte_subscribers (
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
  )`,
  `CREATE TRIGGER charlotte_subscribers_forward BEFORE UPDATE OF cursor ON charlotte_subscribers FOR EACH ROW
   WHEN (NEW.cursor < OLD.cursor)
   EXECUTE FUNCTION charlotte_refuse('charlotte: the cursor of a subscriber moves forward only')`,
  `CREATE TABLE charlotte_undelivered (
    subscriber TEXT COLLATE "C" NOT NULL,
    cursor BIGINT NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    failed_at BIGINT NOT NULL,
    aside INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)),
    error TEXT NOT NULL,
    PRIMARY KEY (subscriber, cursor)
  )`,
  "CREATE INDEX charlotte_undelivered_job ON charlotte_undelivered (job_id)"
]
