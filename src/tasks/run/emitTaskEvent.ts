/**
 * Emits the events of `TaskEvents`, with typed payloads.
 */
import type { Effect } from "effect"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Task, Unit } from "../plan/Plan.js"
import type { Payload, Type } from "../events.js"

/** The unit and task of an event; events of the job as a whole have neither. */
export interface EventPosition {
  readonly unit?: string
  readonly task?: number
}

export type EmitTaskEvent = <T extends Type>(
  type: T,
  payload: Payload<T>,
  position?: EventPosition
) => Effect.Effect<void>

export const make =
  (job: JobContext<unknown>): EmitTaskEvent =>
  (type, payload, position) =>
    job.emit({ type, payload, ...position })

/** Emits the events of one task. */
export const ofTask =
  ({ emit }: { readonly emit: EmitTaskEvent }, { id }: Unit, { number }: Task) =>
  <T extends Type>(type: T, payload: Payload<T>): Effect.Effect<void> =>
    emit(type, payload, { unit: id, task: number })
