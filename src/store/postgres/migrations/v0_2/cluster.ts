import { dueRank } from "../../../sql/runRow.js"
import { shardBy } from "../../../sql/shardBy.js"

/**
 * The nodes of a cluster, and their jobs: `node` is the address on which a run was placed last, `runner` the node that has taken its
 * attempt; `refused_by` is why versions of the kind cannot decode a waiting run, since `refused_at`. The row of a kind in `charlotte_limits` is its lock as well; a kind without a cluster has the row, too.
 */
export const cluster = [
  `CREATE TABLE charlotte_nodes (
    id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    kind TEXT NOT NULL CHECK (kind <> ''),
    address TEXT NOT NULL CHECK (address <> ''),
    pid INTEGER NOT NULL,
    machine TEXT NOT NULL,
    capacity INTEGER NOT NULL CHECK (capacity >= 1),
    joined_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    draining INTEGER NOT NULL DEFAULT 0,
    url TEXT,
    definitions TEXT,
    version TEXT,
    UNIQUE (kind, address)
  )`,
  `CREATE TABLE charlotte_limits (
    kind TEXT NOT NULL PRIMARY KEY CHECK (kind <> ''),
    max_jobs INTEGER CHECK (max_jobs >= 1),
    max_per_group INTEGER CHECK (max_per_group >= 1),
    manual INTEGER NOT NULL DEFAULT 0
  )`,
  // For each status and shard, the order in which runs that wait for a permit begin.
  `CREATE INDEX charlotte_runs_share ON charlotte_runs (kind, status, ${shardBy("strpos")("id")}, priority DESC, (${dueRank()}), id)
   WHERE waits_for = 'permit' AND refused_by IS NULL`
]
