/**
 * Watches the files of the home while a daemon uses it: a user may delete some of them.
 */
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { RealClock } from "../../internal/RealClock.js"
import type * as LockOwner from "./LockOwner.js"
import { Home } from "./Home.js"
import * as HomeLock from "./HomeLock.js"

/** In milliseconds of real time. */
const interval = 2_000

/**
 * Returns once the home is gone, and with it everything by which clients could find this process. It is checked twice, since a
 * directory may be moved away and back. Lesser damage is logged, and repaired if possible.
 */
export const untilLost = (
  addresses: ReadonlyArray<LockOwner.Address>
): Effect.Effect<void, never, Home | HomeLock.HomeLock> =>
  Effect.gen(function* () {
    const { holder, lock } = yield* Home
    const { isHeld, renew } = yield* HomeLock.HomeLock
    const { sleep } = yield* RealClock
    const logged = new Set<string>()
    const logOnce = (isSo: boolean, sentence: string) =>
      Effect.suspend(() => {
        if (!isSo) logged.delete(sentence)
        if (!isSo || logged.has(sentence)) return Effect.void
        logged.add(sentence)
        return Effect.logError(sentence)
      })

    for (let checks = 0; checks < 2;) {
      yield* sleep(interval)
      const note = yield* renew
      if (note === "restored") yield* Effect.logWarning(`${holder} was deleted; restored it`)
      yield* logOnce(
        note === "unwritable",
        `${holder} cannot be written, so commands cannot find this process: move away what is there`
      )
      const isLost = !(yield* isHeld)
      checks = isLost && !existsSync(holder) ? checks + 1 : 0
      yield* logOnce(isLost, HomeLock.lost(lock))
      for (const address of addresses) {
        if (!("socket" in address)) continue
        const sentence = `${address.socket} was deleted, so clients cannot find this process: restart the daemon`
        yield* logOnce(!existsSync(address.socket), sentence)
      }
    }
  }).pipe(Effect.annotateLogs("module", "Watch"))
