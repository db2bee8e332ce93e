/**
 * Encodes and decodes the success values, failures and events of the jobs of a kind.
 */
import { Data, Effect, flow, ParseResult, Schema } from "effect"
import { UndecodableRun } from "../../domain/errors.js"
import type { ErrorKind, Run, TypedRun } from "../../domain/Run.js"
import { toJson } from "../../internal/Json.js"
import type { Starts } from "../KindDefinition.js"
import type { Provide } from "./provide.js"
import { firstDifference } from "./readBack.js"

/** A value that its schema cannot encode, or whose encoded form JSON cannot represent; it is a defect of the job. */
export class Unencodable extends Data.TaggedError("Unencodable")<{
  readonly field: string
  readonly issue: string
  readonly cause?: unknown
}> {
  override get message() {
    return `${this.field} cannot be recorded: ${this.issue}`
  }
}

const fieldAt = (name: string, path: ReadonlyArray<PropertyKey>): string => [name, ...path.map(String)].join(".")

/** The first field that does not decode, and what is wrong with it. */
export const firstIssue = (
  name: string,
  error: ParseResult.ParseError
): { readonly field: string; readonly issue: string } => {
  const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
  return { field: fieldAt(name, first?.path ?? []), issue: first?.message ?? "invalid value" }
}

/** Makes a check that a value which is recorded as JSON is read back as it was. */
export const readsBack =
  (name: string, issue: string) =>
  <A>(value: A): Effect.Effect<A, Unencodable> => {
    const changed = value === undefined ? undefined : firstDifference(value, toJson(value), [])
    return changed === undefined
      ? Effect.succeed(value)
      : Effect.fail(new Unencodable({ field: fieldAt(name, changed), issue }))
  }

/** Whether there is no schema: any value is then recorded as JSON, by best effort. */
export const isAny = ({ ast }: Schema.Schema.All): boolean => ast === Schema.Unknown.ast

/** Makes an encoder for a value that is recorded as JSON. */
export const encoder = <A, I, R>(
  name: string,
  schema: Schema.Schema<A, I, R>,
  provide: Provide<R>
): ((value: A) => Effect.Effect<unknown, Unencodable>) => {
  if (isAny(schema)) return Effect.succeed
  const encode = Schema.encode(schema)
  const check = readsBack(name, "it is not the same as JSON")
  return (value) =>
    Effect.flatMap(
      Effect.mapError(provide(encode(value)), (error) => new Unencodable(firstIssue(name, error))),
      check
    )
}

/** Makes a decoder; a value that is `undefined` is recorded as `null`. */
export const decoder = <A, I, R, R2>(schema: Schema.Schema<A, I, R>, provide: Provide<R, R2>) => {
  const decode = flow(Schema.decodeUnknown(schema), provide)
  return (recorded: unknown): Effect.Effect<A, ParseResult.ParseError, R2> =>
    recorded === null
      ? Effect.catchAll(decode(null), (error) => Effect.mapError(decode(undefined), () => error))
      : decode(recorded)
}

/** A recorded signal that no longer decodes; it is a defect of the job. */
export class UndecodableSignal extends Data.TaggedError("UndecodableSignal")<{
  readonly field: string
  readonly issue: string
}> {
  override get message() {
    return `the signal ${this.field} cannot be read: ${this.issue}`
  }
}

/** Makes a decoder for the payloads of a recorded signal. */
export const signalDecoder = <A, I, R>(
  name: string,
  schema: Schema.Schema<A, I, R>,
  provide: Provide<R>
): ((payload: unknown) => Effect.Effect<A, UndecodableSignal>) => {
  const decode = decoder(schema, provide)
  return (payload) => Effect.mapError(decode(payload), (error) => new UndecodableSignal(firstIssue(name, error)))
}

/** A schema that decodes like the passed one, with its services provided. */
export const withServices = <A, I, R>(schema: Schema.Schema<A, I, R>, provide: Provide<R>): Schema.Schema<unknown> => {
  const decode = ParseResult.decodeUnknown(schema)
  return Schema.transformOrFail(Schema.Unknown, Schema.Unknown, {
    strict: true,
    decode: (payload, options) => provide(decode(payload, options)),
    encode: (payload) => ParseResult.succeed(payload)
  })
}

/** The schemas that decode the records of a kind. */
export interface RunSchemas<C, CI, S, SI, E, EI, R> {
  readonly config: Schema.Schema<C, CI, R>
  readonly success: Schema.Schema<S, SI, R>
  readonly error: Schema.Schema<E, EI, R>
}

export interface KindSchemas<C, CI, S, SI, E, EI, R> extends RunSchemas<C, CI, S, SI, E, EI, R> {
  readonly kind: string
  /** Schemas by event type; `undefined` allows any. */
  readonly events: { readonly [type: string]: Schema.Schema<unknown, unknown, R> } | undefined
  /** Schemas by signal name; `undefined` allows any. */
  readonly signals: { readonly [name: string]: Schema.Schema<unknown, unknown, R> } | undefined
  readonly starts: Starts<C>
}

/** Whether an error is no typed failure. A kind of error that a later version has recorded is kept as it stands. */
const isUntyped = (kind: string): kind is Exclude<ErrorKind, "failure"> => kind !== "failure"

/** Makes a decoder for the records of a kind. */
export const runDecoder = <C, CI, S, SI, E, EI, R, R2>(
  schemas: RunSchemas<C, CI, S, SI, E, EI, R>,
  provide: Provide<R, R2>
) => {
  const decodeConfig = flow(Schema.decodeUnknown(schemas.config), provide)
  const decodeSuccess = decoder(schemas.success, provide)
  const decodeError = decoder(schemas.error, provide)

  return ({
    config: encoded,
    error,
    result,
    status,
    ...run
  }: Run): Effect.Effect<TypedRun<C, S, E>, UndecodableRun, R2> => {
    const orUndecodable = (name: string) =>
      Effect.mapError(
        (error: ParseResult.ParseError) => new UndecodableRun({ jobId: run.id, ...firstIssue(name, error) })
      )

    return Effect.gen(function* () {
      const config = yield* orUndecodable("config")(decodeConfig(encoded))
      const base = { ...run, config }
      if (status === "completed") {
        return { ...base, status, result: yield* orUndecodable("result")(decodeSuccess(result ?? null)) }
      }
      if (status !== "failed") return { ...base, status, ...(error && { error }) }
      if (error === undefined) {
        return yield* new UndecodableRun({ jobId: run.id, field: "error", issue: "is missing" })
      }
      const { cause, kind } = error
      return isUntyped(kind)
        ? { ...base, status, error: { kind, cause, error: error.error } }
        : {
            ...base,
            status,
            error: { kind: "failure", cause, error: yield* orUndecodable("error")(decodeError(error.error)) }
          }
    })
  }
}
