/**
 * Decodes the payload of an event by the schema of its type, without tolerance for further fields.
 */
import { Either, Schema } from "effect"

const options = { onExcessProperty: "error" } as const

interface Payloads {
  readonly [type: string]: Schema.Schema.AnyNoContext
}

/** Why the payload, as it is recorded, does not match the schema of its type; undefined if it does. */
export const problem = (payloads: Payloads, type: string, payload: string | undefined): string | undefined => {
  const schema = payloads[type]
  if (schema === undefined) return `no schema for events of type ${type}`
  const decoded = Schema.decodeUnknownEither(schema, options)(JSON.parse(payload ?? "{}"))
  return Either.isRight(decoded) ? undefined : `event ${type} ${payload ?? ""}: ${decoded.left.message}`
}

/** Fails the run of all tests, also where the test expects its job to fail. */
export const check = (payloads: Payloads, type: string, payload: string | undefined): void => {
  const found = problem(payloads, type, payload)
  if (found === undefined) return
  const error = new Error(found)
  queueMicrotask(() => {
    throw error
  })
}
