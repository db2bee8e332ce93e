/**
 * The subscribers of notices.
 */
import { Effect } from "effect"
import { RunStore } from "../../store/RunStore.js"
import { Configuration } from "../config/Configuration.js"

/** An application cannot choose a name with a dot. */
export const subscriberOf = ({ name }: { readonly name: string }): string => `notify.${name}`

/** Removes a subscriber, so that retention keeps no job for it. Another node of a cluster may still run it. */
export const remove = (subscriber: string) =>
  Effect.flatMap(RunStore, ({ subscribers }) => subscribers.remove(subscriber)).pipe(
    Effect.catchTags({ SubscriberInUse: () => Effect.void, SubscriberNotFound: () => Effect.void }),
    Effect.catchAll((error) => Effect.logWarning(`the subscriber ${subscriber} could not be removed`, error))
  )

/** Removes the subscribers of names that the configuration no longer has. */
export const removeFormer = Effect.gen(function* () {
  const { notify } = yield* Configuration
  const { subscribers } = yield* RunStore
  const names = new Set(notify.map(subscriberOf))
  for (const { name } of yield* subscribers.list)
    if (name.startsWith(subscriberOf({ name: "" })) && !names.has(name)) yield* remove(name)
})
