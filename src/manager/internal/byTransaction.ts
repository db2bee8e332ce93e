import { type Effect, Option } from "effect"
import type { Outbox, Service as Store } from "../../store/port/RunStoreService.js"

/**
 * Runs `inside` inside a transaction of the application, and otherwise `outside`. `outside` is detached from a transaction of any
 * other SQL client, since the application's code that decodes and checks a configuration would use its connection.
 */
export const byTransaction = <A, E>(
  { outbox }: Pick<Store, "outbox">,
  {
    inside,
    outside
  }: { readonly inside: (outbox: Outbox) => Effect.Effect<A, E>; readonly outside: Effect.Effect<A, E> }
): Effect.Effect<A, E> =>
  Option.match(outbox, {
    onNone: () => outside,
    onSome: (outbox) => outbox.byTransaction({ inside: inside(outbox), outside })
  })
