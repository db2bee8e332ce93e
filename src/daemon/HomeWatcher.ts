/**
 * Looks after the home while a daemon has it: files of it may be deleted by people who do not know what they are for.
 */
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { RealClock } from "../internal/RealClock.js"
import type * as LockOwner from "./LockOwner.js"
import { Home } from "./Home.js"
import * as HomeLock from "./HomeLock.js"

/** In milliseconds of real time. */
const interval = 2_000

/**
 * Returns when the home is gone, with all by which others could find this process; looked for twice, since a directory may be
 * moved, and back. Of anything less the log tells, and what can be mended is.
 */
export const untilLost = (
  addresses: ReadonlyArray<LockOwner.Address>
): Effect.Effect<void, never, Home | HomeLock.HomeLock> =>
  Effect.gen(function* () {
    const { holder, lock } = yield* Home
    const { isHeld, renew } = yield* HomeLock.HomeLock
    const { sleep } = yield* RealClock
    const told = new Set<string>()
    const tell = (isSo: boolean, sentence: string) =>
      Effect.suspend(() => {
        if (!isSo) told.delete(sentence)
        if (!isSo || told.has(sentence)) return Effect.void
        told.add(sentence)
        return Effect.logError(sentence)
      })

    for (let looks = 0; looks < 2;) {
      yield* sleep(interval)
      if (yield* renew) yield* Effect.logWarning(`${holder} was deleted; it is there again`)
      const isLost = !(yield* isHeld)
      looks = isLost && !existsSync(holder) ? looks + 1 : 0
      yield* tell(isLost, HomeLock.lost(lock))
      for (const address of addresses) {
        if (!("socket" in address)) continue
        const sentence = `${address.socket} was deleted, so nobody finds this process: restart the daemon`
        yield* tell(!existsSync(address.socket), sentence)
      }
    }
  }).pipe(Effect.annotateLogs("module", "Watch"))
