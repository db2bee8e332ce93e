/**
 * Disconnects clients that stop reading. Node's socket timer notices progress within a write, but restarts without an event when the
 * last write went out in part. So it is armed for a fraction of the timeout, and fractions without progress are counted.
 */
import { Duration, Effect } from "effect"
import type { ServerResponse } from "node:http"

/** Checks per timeout. */
const checks = 6

/** Disconnects a client that reads nothing for `timeout`, or up to a sixth longer. */
export const slowClientTimeout = (response: ServerResponse, timeout: Duration.DurationInput): Effect.Effect<void> =>
  Effect.map(Effect.clock, (clock) => {
    const timeoutMillis = Duration.toMillis(timeout)
    const step = timeoutMillis / checks
    let since = 0
    let last = { at: 0, progress: "" }
    response.setTimeout(step, () => {
      const { socket } = response
      // Nothing is waiting to be sent: the stream is idle, not stalled.
      if (socket === null || socket.writableLength === 0) return
      const at = clock.unsafeCurrentTimeMillis()
      const progress = `${socket.writableLength} after ${socket.bytesWritten}`
      // The timer fires after a step without progress; a longer interval means progress before that step.
      if (progress !== last.progress || at - last.at > 1.5 * step) since = at - step
      last = { at, progress }
      if (at - since > timeoutMillis - step / 2) response.destroy()
      else socket.setTimeout(step)
    })
  })
