import { terminalEvents } from "../../../sql/stateMachine.js"

/**
 * The append-only event log. Cursors are drawn from the row of `charlotte_log`, which stays locked until the commit: cursors
 * are in commit order, so a reader of a cursor has seen all lower ones. With a sequence, followers would miss events.
 */
export const events = [
  `CREATE TABLE charlotte_log (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    cursor BIGINT NOT NULL CHECK (cursor >= 0)
  )`,
  "INSERT INTO charlotte_log VALUES (1, 0)",

  `CREATE TABLE charlotte_events (
    cursor BIGINT NOT NULL PRIMARY KEY,
    job_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL CHECK (seq >= 1),
    at BIGINT NOT NULL,
    type TEXT NOT NULL CHECK (type <> ''),
    unit TEXT,
    task INTEGER,
    payload TEXT,
    UNIQUE (job_id, seq)
  )`,
  `CREATE UNIQUE INDEX charlotte_events_terminal ON charlotte_events (job_id)
   WHERE type IN ${terminalEvents}`,

  `CREATE FUNCTION charlotte_events_terminal_status() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF 'job.' || (SELECT status FROM charlotte_runs WHERE id = NEW.job_id) IS DISTINCT FROM NEW.type THEN
       RAISE EXCEPTION 'charlotte: a terminal event says what the status of its run says' USING ERRCODE = 'check_violation';
     END IF;
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER charlotte_events_terminal_status BEFORE INSERT ON charlotte_events FOR EACH ROW
   WHEN (NEW.type IN ${terminalEvents})
   EXECUTE FUNCTION charlotte_events_terminal_status()`,
  `CREATE TRIGGER charlotte_events_append_only BEFORE UPDATE ON charlotte_events FOR EACH ROW
   EXECUTE FUNCTION charlotte_refuse('charlotte: events are append-only')`
]
