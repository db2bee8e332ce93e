/**
 * The subscribers at the process that runs jobs, or in the database if there is none.
 */
import { Effect, Option } from "effect"
import { now } from "../../internal/now.js"
import { sender } from "../act/sender.js"
import * as JobSource from "../target/JobSource.js"

export const list = Effect.gen(function* () {
  const host = yield* JobSource.host
  if (Option.isSome(host)) return yield* host.value.client.subscribers
  const { withStore } = yield* offline
  return yield* withStore(({ subscribers }) => subscribers.list)
})

export const retry = (name: string) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isSome(host)) return yield* host.value.client.retrySubscriber(name)
    const { withStore } = yield* offline
    return yield* withStore(({ subscribers }) => Effect.flatMap(now, (at) => subscribers.retry({ name, at })))
  })

export const remove = (name: string) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isSome(host)) return yield* host.value.client.removeSubscriber(name, { by: sender() })
    const { logChange, withStore } = yield* offline
    return yield* withStore(({ subscribers }) =>
      Effect.zipLeft(subscribers.remove(name), logChange(`subscriber "${name}" is removed`))
    )
  })

const offline = Effect.promise(() => import("../offline/withStore.js"))
