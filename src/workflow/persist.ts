import { Effect } from "effect"
import type { StoreError } from "../domain/errors.js"
import { RealClock } from "../internal/RealClock.js"

/** Milliseconds to wait after a failure of the store. */
const pause = 500

/** Tries again while the store fails, as managers do: a database that is away for a while is no defect of a workflow. */
export const persist = <A, E extends { readonly _tag: string }>(
  effect: Effect.Effect<A, E | StoreError>
): Effect.Effect<A, Exclude<E, StoreError>> =>
  Effect.catchIf(effect, isStoreError, (error) =>
    error.reason === "closed"
      ? Effect.die(error)
      : Effect.logWarning("the store of a workflow fails; it is tried again", error).pipe(
          Effect.zipRight(RealClock),
          Effect.flatMap(({ sleep }) => sleep(pause)),
          Effect.flatMap(() => persist<A, E>(effect))
        )
  )

const isStoreError = <E extends { readonly _tag: string }>(error: E | StoreError): error is StoreError =>
  error._tag === "StoreError"
