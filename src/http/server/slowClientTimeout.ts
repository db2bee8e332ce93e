/**
 * A client that takes nothing of what is there for it. Node's own timer sees what goes out, also of a piece that is still on
 * its way; but when the last piece has gone out in part it begins anew, and tells nobody. So it is asked several times, and it
 * is counted for how long it has told of no progress.
 */
import { Duration, Effect } from "effect"
import type { ServerResponse } from "node:http"

/** How often it is looked, in the time for which a client may take nothing. */
const looks = 6

/** Cuts off a client that takes nothing for so long, or up to a sixth longer. */
export const cutOff = (response: ServerResponse, after: Duration.DurationInput): Effect.Effect<void> =>
  Effect.map(Effect.clock, (clock) => {
    const patience = Duration.toMillis(after)
    const step = patience / looks
    let since = 0
    let last = { at: 0, left: "" }
    response.setTimeout(step, () => {
      const { socket } = response
      // Where nothing waits to go out, nothing is wrong: it is quiet.
      if (socket === null || socket.writableLength === 0) return
      const at = clock.unsafeCurrentTimeMillis()
      const left = `${socket.writableLength} after ${socket.bytesWritten}`
      // The timer tells of no progress since it began; a longer pause means that there was some before that.
      if (left !== last.left || at - last.at > 1.5 * step) since = at - step
      last = { at, left }
      if (at - since > patience - step / 2) response.destroy()
      else socket.setTimeout(step)
    })
  })
