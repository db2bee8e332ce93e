/**
 * `RunTransition` with a check of each event that it makes.
 */
import { payloads } from "../../../src/domain/events.js"
import type { AcceptedEvent } from "../../../src/store/port/RunStoreService.js"
import * as real from "../../../src/store/rules/RunTransition.js"
import { check } from "./check.js"

export * from "../../../src/store/rules/RunTransition.js"

const checked = (event: AcceptedEvent): AcceptedEvent => {
  check(payloads, event.type, event.payload)
  return event
}

export const createdEvent: typeof real.createdEvent = (...args) => checked(real.createdEvent(...args))
export const begunEvents: typeof real.begunEvents = (...args) => real.begunEvents(...args).map(checked)
export const signalEvent: typeof real.signalEvent = (...args) => checked(real.signalEvent(...args))
export const stepEvent: typeof real.stepEvent = (...args) => checked(real.stepEvent(...args))
export const changeEvent: typeof real.changeEvent = (...args) => checked(real.changeEvent(...args))
