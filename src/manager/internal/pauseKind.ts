/**
 * Pauses a kind, and ends the pause. Running jobs continue.
 */
import { Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { logChange } from "../../domain/Sender.js"
import { traced } from "../../internal/Tracing.js"
import type { Core } from "./Core.js"

const logged = <Config>({ kind }: Core<Config>, what: string, by: string | undefined) =>
  logChange(`jobs of kind "${kind}" are ${what}`, by)

/** Once it returns, no attempt of the kind begins. */
export const pauseKind = <Config>(core: Core<Config>, by: string | undefined): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    yield* core.store.kinds.pause({ kind: core.kind, at: yield* core.store.now, by })
    yield* logged(core, "paused", by)
  }).pipe(traced("JobManager.pause"))

export const unpauseKind = <Config>(core: Core<Config>, by: string | undefined): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    yield* core.store.kinds.unpause(core.kind)
    yield* logged(core, "no longer paused", by)
  }).pipe(traced("JobManager.unpause"))
