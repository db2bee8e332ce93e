/**
 * The time constants of leases, in milliseconds. They depend on each other: a manager that continues a job has to be sure that the
 * former one no longer works on it. `test/internal/timing.test.ts` holds the inequalities.
 */

/** Between two heartbeats of a node or an owner. */
export const heartbeatInterval = 1_000

/** Shorter than the lease, so that a server that has gone silent leaves time for another connection. */
export const heartbeatTimeout = 2_000

/** Between two checks whether the lease still holds. */
export const leaseCheckInterval = 100

/** After this long without a response of the database, a manager releases its jobs. */
export const lease = 5_000

/** How long the jobs have to end when the lease is lost. */
export const graceOnLoss = 2_000

/** How long a job has to end that another node may have taken over. */
export const graceWhenTaken = 1_000

/** After this long without a heartbeat, a node gets jobs only if no fresher node accepts them. */
export const doubtfulAfter = 3_000

/** After this long without a heartbeat of its node, a guard kills what is left of it, for which it has `killTime`. */
export const guardSilence = 6_000
export const killTime = 1_000

/** After this long without a heartbeat, a manager counts as dead, and others continue its jobs. */
export const deadAfter = 10_000
