/**
 * Wake-ups of the nodes on which new runs are placed. A woken node handles everything that waits there, so one wake-up is sent for
 * all runs that one transaction has placed.
 */
import { Effect, Queue, type Scope } from "effect"
import type { JobId } from "../domain/JobId.js"
import * as background from "../internal/background.js"
import type { Created } from "../store/port/RunStoreService.js"

export interface WakeUp {
  readonly address: string
  readonly id: JobId
  /** Where the run waits: a node reads the runs that it has to take and the runs that it has to begin from different places. */
  readonly created: Created["_tag"]
}

/** Maximum number of queued wake-ups. The runs of dropped ones are found by a sweep. */
const maxWaiting = 1_024

/** Makes a function that passes wake-ups on to `send`, and does not wait for it. */
export const make = (
  send: (wakeUp: WakeUp) => Effect.Effect<void>
): Effect.Effect<(wakeUp: WakeUp) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting = yield* Queue.sliding<WakeUp>(maxWaiting)
    const sendAll = Effect.gen(function* () {
      const once = new Map<string, WakeUp>()
      for (const wakeUp of yield* Queue.takeBetween(waiting, 1, maxWaiting)) {
        once.set(`${wakeUp.address} ${wakeUp.created}`, wakeUp)
      }
      yield* Effect.forEach(once.values(), send, { discard: true })
    })
    yield* background.fork(Effect.forever(sendAll))
    return (wakeUp) => Queue.offer(waiting, wakeUp)
  })
