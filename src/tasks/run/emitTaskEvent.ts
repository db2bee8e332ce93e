/**
 * Tells of what happens in the words of `TaskEvents`.
 */
import type { Effect } from "effect"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Payload, Type } from "../TaskEvents.js"

/** What an event is about, other than the job as a whole. */
export interface EventPosition {
  readonly unit?: string
  readonly task?: number
}

export type EmitTaskEvent = <T extends Type>(type: T, payload: Payload<T>, place?: EventPosition) => Effect.Effect<void>

export const make =
  (context: JobContext<unknown>): EmitTaskEvent =>
  (type, payload, place) =>
    context.emit({ type, payload, ...place })
