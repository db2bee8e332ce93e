/**
 * Checks that the process that holds the home responds at all.
 */
import { Effect, Schema } from "effect"
import { LockOwner } from "../../daemon/home/LockOwner.js"
import type * as JobClient from "../../http/client/JobClient.js"

/** In seconds. */
const defaultSeconds = 5

/** The process exists, and accepts connections, but does not respond. */
export class NotResponding extends Schema.TaggedError<NotResponding>()("NotResponding", { holder: LockOwner }) {
  get problem() {
    const { process, what } = this.holder
    const restart = what === "daemon" ? "charlotte daemon start" : "charlotte resume latest"
    return (
      `has not responded for ${defaultSeconds} seconds: it is suspended or overloaded; if suspended, ` +
      `continue it with: kill -CONT ${process.pid}; or replace it, which loses no job: kill -9 ${process.pid}; ${restart}`
    )
  }
  override get message() {
    return `${this.holder} ${this.problem}`
  }
}

/** Seconds after which a process reports that its database does not respond. */
const longest = 20

/** Limits the time of a query, which usually takes milliseconds. If the process responds to other requests, its database is slow. */
export const withTimeLimit =
  (holder: LockOwner, client: JobClient.Service) =>
  <A, E>(query: Effect.Effect<A, E>): Effect.Effect<A, E | NotResponding> =>
    Effect.catchTag(limited(holder)(query), "NotResponding", () =>
      Effect.zipRight(limited(holder, 1)(Effect.ignore(client.health)), limited(holder, longest)(query))
    )

const limited =
  (holder: LockOwner, seconds = defaultSeconds) =>
  <A, E>(query: Effect.Effect<A, E>): Effect.Effect<A, E | NotResponding> =>
    Effect.timeoutFail(query, { duration: `${seconds} seconds`, onTimeout: () => new NotResponding({ holder }) })

/** Checked first, since later requests have no time limit: a stop takes as long as its job. They report any other failure. */
export const ensureResponding = (
  holder: LockOwner,
  { health }: JobClient.Service
): Effect.Effect<void, NotResponding> => limited(holder)(Effect.ignore(health))
