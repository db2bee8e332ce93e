import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { defaultTiming } from "../../src/cluster/engine/EffectCluster.js"
import * as timing from "../../src/internal/timing.js"
import { afterGrace } from "../../src/manager/internal/stopJob.js"

/** How far two clocks may drift apart while a lease runs, in milliseconds. */
const drift = 1_000

describe("the time constants of leases", () => {
  it("leave a silent connection time for a second one before the lease ends", () => {
    expect(timing.heartbeatInterval + 2 * timing.heartbeatTimeout).toBeLessThanOrEqual(timing.lease)
  })

  it("end all jobs of a manager that has lost its lease before another one continues them", () => {
    const ended = timing.lease + timing.leaseCheckInterval + timing.graceOnLoss + Duration.toMillis(afterGrace)
    expect(ended + drift).toBeLessThan(timing.deadAfter)
  })

  it("let the guard kill what is left between the end of the lease and the takeover", () => {
    expect(timing.guardSilence).toBeGreaterThan(timing.lease)
    expect(timing.guardSilence + timing.killTime + drift).toBeLessThan(timing.deadAfter)
  })

  it("give no job to a node long before the node counts as dead, but not for a single late heartbeat", () => {
    expect(timing.doubtfulAfter).toBeGreaterThan(2 * timing.heartbeatInterval)
    expect(timing.doubtfulAfter).toBeLessThan(timing.lease)
  })

  it("renew a shard's lock twice before it expires, and expire it no later than its node counts as dead", () => {
    const { expiration, refresh } = defaultTiming
    expect(2 * Duration.toMillis(refresh)).toBeLessThan(Duration.toMillis(expiration))
    expect(Duration.toMillis(expiration)).toBeLessThanOrEqual(timing.deadAfter)
  })
})
