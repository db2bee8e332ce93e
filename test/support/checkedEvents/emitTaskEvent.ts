/**
 * `emitTaskEvent` with a check of each event that it emits.
 */
import { stringify } from "../../../src/internal/Json.js"
import { payloads } from "../../../src/tasks/events.js"
import * as real from "../../../src/tasks/run/emitTaskEvent.js"
import { check } from "./check.js"

export * from "../../../src/tasks/run/emitTaskEvent.js"

export const make: typeof real.make = (job) => {
  const emit = real.make(job)
  return (type, payload, position) => {
    check(payloads, type, stringify(payload))
    return emit(type, payload, position)
  }
}
