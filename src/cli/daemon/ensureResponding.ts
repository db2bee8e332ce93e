/**
 * Whether the process that holds the home responds at all.
 */
import { Effect, Schema } from "effect"
import { LockOwner } from "../../daemon/LockOwner.js"
import type * as JobClient from "../../http/client/JobClient.js"

/** In seconds. */
const patience = 5

/** The process exists, and accepts connections, but does not respond. */
export class NotResponding extends Schema.TaggedError<NotResponding>()("NotResponding", { holder: LockOwner }) {
  get problem() {
    const { process, what } = this.holder
    const restart = what === "daemon" ? "charlotte daemon start" : "charlotte resume latest"
    return (
      `has not responded for ${patience} seconds: it is suspended or overloaded; if suspended, ` +
      `continue it with: kill -CONT ${process.pid}; or replace it, which loses no job: kill -9 ${process.pid}; ${restart}`
    )
  }
  override get message() {
    return `${this.holder} ${this.problem}`
  }
}

/** Seconds after which a process gives up on a database that does not answer, and says so. */
const longest = 20

/** Limits the time of a query, which takes milliseconds. A process that responds to others waits for its database. */
export const withTimeLimit =
  (holder: LockOwner, client: JobClient.Service) =>
  <A, E>(query: Effect.Effect<A, E>): Effect.Effect<A, E | NotResponding> =>
    Effect.catchTag(limited(holder)(query), "NotResponding", () =>
      Effect.zipRight(limited(holder, 1)(Effect.ignore(client.health)), limited(holder, longest)(query))
    )

const limited =
  (holder: LockOwner, seconds = patience) =>
  <A, E>(query: Effect.Effect<A, E>): Effect.Effect<A, E | NotResponding> =>
    Effect.timeoutFail(query, { duration: `${seconds} seconds`, onTimeout: () => new NotResponding({ holder }) })

/** For the requests after it, which have no time limit: a stop takes as long as its job. Other failures are left to them. */
export const ensureResponding = (
  holder: LockOwner,
  { health }: JobClient.Service
): Effect.Effect<void, NotResponding> => limited(holder)(Effect.ignore(health))
