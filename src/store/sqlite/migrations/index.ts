import runs from "./0001_runs.js"
import events from "./0002_events.js"
import owners from "./0003_owners.js"
import attempts from "./0004_attempts.js"
import submission from "./0005_submission.js"
import work from "./0006_work.js"
import ownerLocks from "./0007_owner_locks.js"
import v02 from "./0008_v0_2.js"

export const migrations = {
  "0001_runs": runs,
  "0002_events": events,
  "0003_owners": owners,
  "0004_attempts": attempts,
  "0005_submission": submission,
  "0006_work": work,
  "0007_owner_locks": ownerLocks,
  "0008_v0_2": v02
}
