/**
 * Wakes parked jobs before the time for which they wait.
 */
import { DateTime, Effect } from "effect"
import { JobManager } from "../../manager/JobManager.js"
import type { JobId } from "../../domain/JobId.js"
import type { Service } from "../../store/port/RunStoreService.js"

export type Store = Pick<Service, "unfinished" | "wake">

const pageSize = 100

/**
 * Wakes the jobs that are parked until an agent may work again, since a turn has shown that it does. A failure only lets them wait
 * longer.
 */
export const untilReset = (store: Store, agent: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* DateTime.now
    let after: JobId | undefined
    for (;;) {
      const rest = after === undefined ? {} : { after }
      const page = yield* store.unfinished({ kind: JobManager.kind, status: "parked", limit: pageSize, ...rest })
      for (const { run } of page) {
        after = run.id
        const { reason = "", until } = run.parked ?? {}
        // A job parks with a reason that names each of its agents. One that is woken for another agent of a similar name parks again.
        if (until === undefined || DateTime.lessThanOrEqualTo(until, now) || !reason.includes(agent)) continue
        yield* Effect.catchTag(store.wake(run.id, "time"), "Superseded", () => Effect.void)
      }
      if (page.length < pageSize) return
    }
  }).pipe(
    Effect.catchAll(({ message }) => Effect.logWarning(`jobs that wait for ${agent} were not woken early: ${message}`))
  )
