/**
 * The types of events that the manager and tasks write, and their payloads.
 */
import type * as Manager from "../domain/events.js"
import type * as Tasks from "../tasks/events.js"

/** The recorded payload of each type. */
export type Payloads = { readonly [T in Manager.Type]: Manager.Payload<T> } & {
  readonly [T in Tasks.Type]: Tasks.Payload<T>
}

export type Type = keyof Payloads
