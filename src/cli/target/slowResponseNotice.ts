/**
 * A notice on the terminal that a request is taking long, and what Ctrl-C would do.
 */
import { Effect, Fiber } from "effect"
import type { LockOwner } from "../../daemon/home/LockOwner.js"
import type { Service as Client } from "../../http/client/JobClient.js"
import { RealClock } from "../../internal/RealClock.js"
import { Output } from "../terminal/Output.js"

/** In milliseconds of real time; longer than the default grace period of a stop. */
const noticeAfter = 10_000

const notifyWhenSlow = (holder: LockOwner | string) =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const { error } = yield* Output
    yield* sleep(noticeAfter)
    yield* error(`no response from ${holder} for ${noticeAfter / 1_000} seconds; Ctrl-C only ends the waiting\n`)
  })

/** A client with this notice for the requests that may take as long as they need. */
export const withNotice = (client: Client, holder: LockOwner | string): Effect.Effect<Client, never, Output> =>
  Effect.map(Output, (output) => {
    if (!output.isTerminal) return client
    const notice = Effect.provideService(notifyWhenSlow(holder), Output, output)
    const meanwhile = <A, E>(answer: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.acquireUseRelease(Effect.forkDaemon(Effect.interruptible(notice)), () => answer, Fiber.interrupt)
    return {
      ...client,
      start: (config, options) => meanwhile(client.start(config, options)),
      stop: (id, options) => meanwhile(client.stop(id, options)),
      stopAllBy: (by) => meanwhile(client.stopAllBy(by)),
      resume: (id, options) => meanwhile(client.resume(id, options))
    }
  })
