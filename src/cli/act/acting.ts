/**
 * Acts on jobs through the process that runs them, or in the database of the home if no process does.
 */
import { Effect, Option } from "effect"
import * as JobSource from "../target/JobSource.js"
import type { Acts } from "./Acts.js"

export const acting = <A, E, R>(use: (acts: Acts) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const host = yield* JobSource.host
    if (Option.isSome(host)) return yield* use({ ...host.value.client, isHosted: true })
    const { make } = yield* Effect.promise(() => import("../offline/OfflineActs.js"))
    return yield* Effect.scoped(Effect.flatMap(make, use))
  })
