/**
 * Closes servers gracefully.
 */
import { Duration, Effect } from "effect"
import type { Server } from "node:http"
import { RealClock } from "../../internal/RealClock.js"

/** How often idle connections are closed during shutdown, in milliseconds. */
const pollInterval = 20

/** Lets requests in flight finish within the timeout, then closes all connections. */
export const closeServers = (servers: ReadonlyArray<Server>, timeout: Duration.DurationInput) =>
  Effect.gen(function* () {
    // Real time, because clients do not follow a test clock.
    const clock = yield* RealClock
    let open = servers.length
    for (const server of servers) server.close(() => (open -= 1))
    const drain = (left: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        for (const server of servers) server.closeIdleConnections()
        return open === 0 || left <= 0
          ? Effect.void
          : Effect.zipRight(clock.sleep(pollInterval), drain(left - pollInterval))
      })
    yield* drain(Duration.toMillis(timeout))
    for (const server of servers) server.closeAllConnections()
  })
