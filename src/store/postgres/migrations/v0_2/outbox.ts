/** Runs that a transaction of the application inserts; the commit sends a notice. */
export const outbox = [
  "CREATE INDEX charlotte_runs_outbox ON charlotte_runs (kind, id) WHERE outbox = 1",
  `CREATE FUNCTION charlotte_runs_inserted_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM pg_notify('charlotte', 'outbox ' || left(NEW.kind, 1000));
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_inserted_outbox AFTER INSERT ON charlotte_runs FOR EACH ROW WHEN (NEW.outbox = 1)
   EXECUTE FUNCTION charlotte_runs_inserted_outbox()`
]
