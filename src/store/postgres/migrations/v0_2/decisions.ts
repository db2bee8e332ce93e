/** What is decided about executions of workflows. An execution may start later, so nothing refers to its run. */
export const decisions = [
  `CREATE TABLE charlotte_decisions (
    kind TEXT COLLATE "C" NOT NULL CHECK (kind <> ''),
    key TEXT COLLATE "C" NOT NULL CHECK (key <> ''),
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    at BIGINT NOT NULL,
    value TEXT NOT NULL CHECK (CAST(value AS json) IS NOT NULL),
    PRIMARY KEY (kind, key, name)
  )`,
  `CREATE INDEX charlotte_decisions_at ON charlotte_decisions (kind, at)`,
  `CREATE TRIGGER charlotte_decisions_final BEFORE UPDATE ON charlotte_decisions FOR EACH ROW
   EXECUTE FUNCTION charlotte_refuse('charlotte: a decision never changes')`
]
