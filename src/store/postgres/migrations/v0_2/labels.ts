/**
 * Indexes for every combination of filters, in listing order. Labels repeat the kind of their run, which is immutable, and
 * its status, which a trigger updates.
 */
export const labels = [
  "CREATE INDEX charlotte_runs_kind_status ON charlotte_runs (kind, status, id)",

  `CREATE TABLE charlotte_labels (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL REFERENCES charlotte_runs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (name, value, run_id)
  )`,
  "CREATE INDEX charlotte_labels_run ON charlotte_labels (run_id)",
  "CREATE INDEX charlotte_labels_kind ON charlotte_labels (name, value, kind, run_id)",
  "CREATE INDEX charlotte_labels_status ON charlotte_labels (name, value, status, run_id)",
  "CREATE INDEX charlotte_labels_kind_status ON charlotte_labels (name, value, kind, status, run_id)",

  `CREATE FUNCTION charlotte_runs_labels() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO charlotte_labels (name, value, run_id, kind, status)
     SELECT l.key, l.value, NEW.id, NEW.kind, NEW.status FROM json_each_text(CAST(NEW.labels AS json)) l;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_labels AFTER INSERT ON charlotte_runs FOR EACH ROW WHEN (NEW.labels <> '{}')
   EXECUTE FUNCTION charlotte_runs_labels()`,

  `CREATE FUNCTION charlotte_runs_label_status() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     UPDATE charlotte_labels SET status = NEW.status WHERE run_id = NEW.id;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER charlotte_runs_label_status AFTER UPDATE OF status ON charlotte_runs FOR EACH ROW
   WHEN (NEW.status <> OLD.status AND NEW.labels <> '{}') EXECUTE FUNCTION charlotte_runs_label_status()`
]
