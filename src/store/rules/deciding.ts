/**
 * What both databases do with decisions in the same way.
 */
import { DateTime, Schema } from "effect"
import type { Execution } from "../port/RunStoreService.js"

/** The time up to which decisions about executions without a run are removed. */
export const expiry = (at: DateTime.Utc): DateTime.Utc => DateTime.subtract(at, { days: 30 })

/** Names of rows that are no decisions: who waits for the end of the execution. Their values are `Execution`s. */
export const waiterPrefix = "waiter/"

const text = ({ key, kind }: Execution) => `${kind}/${key}`

export const waiterName = (waiter: Execution): string => `${waiterPrefix}${text(waiter)}`

/** The name of the decision that an execution has ended. */
export const endedName = (ended: Execution): string => `ended/${text(ended)}`

/** The value of that decision: it says no more than its name. */
export const endedValue = "null"

export const Waiter = Schema.parseJson(Schema.Struct({ kind: Schema.String, key: Schema.String }))

export const encodeWaiter = Schema.encodeSync(Waiter)
