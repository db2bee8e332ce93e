/**
 * The subscribers of notices.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import type { Definitions } from "../../store/port/RunStoreService.js"
import { RunStore } from "../../store/RunStore.js"
import { Configuration } from "../config/Configuration.js"
import type { NotifySettings } from "../config/NotifySettings.js"

/** An application cannot choose a name with a dot. */
export const subscriberOf = ({ name }: { readonly name: string }): string => `notify.${name}`

/** What a node of a cluster tells the others of its notices: any node that has a name may send its notices, so all should send the same. */
export const definitionsOf = (notify: ReadonlyArray<NotifySettings>): Definitions =>
  Object.fromEntries(
    notify.map(({ env, on, reason, run, ...named }) => {
      const text = JSON.stringify([run, on.toSorted(), env.toSorted(), reason])
      return [subscriberOf(named), createHash("sha256").update(text).digest("hex").slice(0, 16)]
    })
  )

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
