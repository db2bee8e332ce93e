/** The process that manages the jobs of each kind. It holds an advisory lock; the columns of file locks stay empty. */
export const owners = [
  `CREATE TABLE charlotte_owners (
    kind TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    pid INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    start_time TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    lock_path TEXT,
    lock_file TEXT,
    machine TEXT
  )`
]
