/**
 * Sends signals: each is recorded with its job, and wakes the job if it has parked for that signal.
 */
import { Effect, type Option, ParseResult, Schema } from "effect"
import { InvalidSignal, type SignalError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as Sender from "../../domain/Sender.js"
import { parse, stringify } from "../../internal/Json.js"
import { traced } from "../../internal/Tracing.js"
import type { Core } from "./Core.js"

/** The signals that a kind takes, each with the schema of its payload. */
export type Signals = { readonly [name: string]: Schema.Schema.AnyNoContext }

/** How many signals a job keeps since it last began. */
export const limit = 1_000

const maxPayloadBytes = 64 * 1024

export const namePattern = /^[A-Za-z0-9._-]{1,64}$/

export const nameRule = "a name is 1 to 64 letters, digits, dots, hyphens and underscores"

/** Why a signal of that name cannot be sent. */
export const nameProblem = (name: string): string | undefined => {
  if (!namePattern.test(name)) return nameRule
  return name.startsWith("charlotte.") ? "names that begin with charlotte. are reserved" : undefined
}

export const signalJob = <Config>(
  core: Core<Config>,
  signals: Signals | undefined,
  {
    by,
    isReserved = false,
    jobId,
    name,
    payload
  }: {
    readonly jobId: JobId
    readonly name: string
    readonly payload: unknown
    readonly by?: string | undefined
    readonly isReserved?: boolean | undefined
  }
): Effect.Effect<void, SignalError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    const text = yield* payloadText(signals, name, payload, isReserved)
    yield* core.store.signal({
      kind: core.kind,
      jobId,
      name,
      payload: text,
      sender: yield* Sender.current(by),
      limit,
      at: yield* core.store.now
    })
  }).pipe(traced("JobManager.signal"))

/** The payload of a signal as it is recorded; fails if jobs do not take such a signal. */
export const payloadText = (
  signals: Signals | undefined,
  name: string,
  payload: unknown,
  isReserved = false
): Effect.Effect<string | undefined, InvalidSignal> =>
  Effect.gen(function* () {
    const problem = isReserved ? undefined : (nameProblem(name) ?? declarationProblem(name, signals))
    if (problem !== undefined) return yield* new InvalidSignal({ signal: name, reason: problem })
    const text = payload === undefined ? undefined : stringify(payload)
    if (text !== undefined && Buffer.byteLength(text) > maxPayloadBytes) {
      return yield* new InvalidSignal({ signal: name, reason: `its payload is larger than ${maxPayloadBytes} bytes` })
    }
    const schema = signals?.[name]
    if (schema !== undefined) {
      // Decodes the recorded payload, not the one passed in, since the job has to read the recorded one.
      const kept = text === undefined ? undefined : parse(text)
      yield* Effect.mapError(
        Schema.decodeUnknown(schema, { errors: "all" })(kept),
        (error) => new InvalidSignal({ signal: name, reason: reasonOf(error) })
      )
    }
    return text
  })

/** Without declared signals, any name with any JSON is accepted. */
const declarationProblem = (name: string, signals: Signals | undefined): string | undefined =>
  signals === undefined || Object.hasOwn(signals, name)
    ? undefined
    : `this kind of job takes the signals ${Object.keys(signals).join(", ") || "none"}`

/** The wrong fields of the payload, in one line. */
const reasonOf = (error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error)
    .map(({ message, path }) => `${["payload", ...path.map(String)].join(".")}: ${message}`)
    .join("; ")

/** The payload of the newest signal of a name. A store that fails for a moment does not fail the job. */
export const latestSignal = <Config>(
  { persistRetry, store }: Core<Config>,
  jobId: JobId,
  name: string
): Effect.Effect<Option.Option<unknown>> =>
  Effect.orDie(persistRetry.persist(jobId, store.latestSignal({ jobId, name })))
