import runs from "./0001_runs.js"
import events from "./0002_events.js"
import owners from "./0003_owners.js"
import attempts from "./0004_attempts.js"
import work from "./0006_work.js"
import filters from "./0008_filters.js"
import waiting from "./0010_waiting.js"
import outbox from "./0011_outbox.js"
import search from "./0012_search.js"
import agentLimits from "./0013_agent_limits.js"
import retention from "./0014_retention.js"
import trace from "./0015_trace.js"
import attachedKeys from "./0016_attached_keys.js"
import cluster from "./0017_cluster.js"
import machine from "./0018_machine.js"
import ownerMachine from "./0019_owner_machine.js"
import logs from "./0020_logs.js"

type Statements = ReadonlyArray<string>

/** What such a migration adds in SQLite is part of an earlier one here, or is about its file. */
const nothing: Statements = []

/** The migrations of PostgreSQL, under the names of those of SQLite: both end with the same tables and columns. */
export const migrations: { readonly [name: string]: Statements } = {
  "0001_runs": runs,
  "0002_events": events,
  "0003_owners": owners,
  "0004_attempts": attempts,
  "0005_submission": nothing,
  "0006_work": work,
  "0007_owner_locks": nothing,
  "0008_filters": filters,
  "0009_generation": nothing,
  "0010_waiting": waiting,
  "0011_outbox": outbox,
  "0012_search": search,
  "0013_agent_limits": agentLimits,
  "0014_retention": retention,
  "0015_trace": trace,
  "0016_attached_keys": attachedKeys,
  "0017_cluster": cluster,
  "0018_machine": machine,
  "0019_owner_machine": ownerMachine,
  "0020_logs": logs
}
