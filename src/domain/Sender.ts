/**
 * Who has asked for something, and how the request came in.
 */
import { Context, Effect, Schema } from "effect"

/** Recorded with what is asked for; missing for what Charlotte does by itself. */
export const Sender = Schema.Struct({
  /** A name as claimed, verified only where a session of an application gives it. */
  by: Schema.optional(Schema.String),
  /** `library`, `socket`, `port`, `page` or `schedule`; a reader takes any other text as well. */
  via: Schema.optional(Schema.String)
})

export type Sender = typeof Sender.Type

/** How the current request came in: a server sets it, and nothing else does. */
export class Via extends Context.Reference<Via>()("charlotte/Via", { defaultValue: (): string => "library" }) {}

/** Uses the sender of the current request. It costs one operation of Effect's run loop, where `Via` as an effect costs several. */
export const withCurrent = <A, E, R>(
  by: string | undefined,
  use: (sender: Sender) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime(({ currentContext }) => use({ by, via: Context.get(currentContext, Via) }))

/** The sender of the current request. */
export const current = (by: string | undefined): Effect.Effect<Sender> => withCurrent(by, Effect.succeed)

/** Logs a change that no event records. */
export const logChange = (what: string, by: string | undefined): Effect.Effect<void> =>
  Effect.flatMap(Via, (via) =>
    Effect.annotateLogs(Effect.logInfo(by === undefined ? what : `${what}, by ${by}`), { via })
  )
