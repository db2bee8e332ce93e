/**
 * What a configuration has to pass before a job is admitted.
 */
import { type Context, Effect, ParseResult, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { stringify } from "../../internal/Json.js"
import type { Checked, Service as Orchestrator } from "../Orchestrator.js"
import * as ReadBack from "./readBack.js"

export interface Admission<out C> {
  /** Takes what a caller submits; names every bad field at once, an unknown one too. */
  readonly submitted: (encoded: unknown) => Effect.Effect<Admitted<C>, InvalidJobConfig>
  /** Takes what an earlier version recorded; fields that this one does not know are ignored. */
  readonly recorded: (encoded: unknown, submission: unknown) => Effect.Effect<Admitted<C>, InvalidJobConfig>
}

export interface Admitted<out C> {
  readonly config: C
  /** As it is recorded: with the defaults filled in. */
  readonly encoded: unknown
  readonly key: string | undefined
  readonly keyName: string | undefined
  /** What the orchestrator found out, as JSON text. */
  readonly submission: string | undefined
}

/** So many checks at the same time: each may start processes, such as git. */
const maxChecks = 4

export const make = <C, I, RS, R, R2>(options: {
  readonly config: Schema.Schema<C, I, RS>
  readonly orchestrator: Orchestrator<C, R, R2>
  readonly services: Context.Context<RS | R2>
}): Effect.Effect<Admission<C>> =>
  Effect.map(Effect.makeSemaphore(maxChecks), (checks) => {
    const { config: schema, orchestrator, services } = options
    const encode = Schema.encode(schema)
    const readsBack = ReadBack.make(schema)
    const decodeSubmitted = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })
    const decodeRecorded = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "ignore" })

    const check = (config: C, recorded?: unknown) =>
      orchestrator.check === undefined
        ? Effect.succeed<Checked>({})
        : // `withPermits` can lose a permit when it is interrupted between taking it and returning.
          Effect.acquireUseRelease(
            checks.take(1),
            () => orchestrator.check?.(config, recorded) ?? Effect.succeed({}),
            () => checks.release(1)
          )

    const admitted = (config: C, encoded: unknown, { key, keyName, submission }: Checked): Admitted<C> => ({
      config,
      encoded,
      key,
      keyName,
      submission: submission === undefined ? undefined : stringify(submission)
    })

    return {
      submitted: (input) =>
        Effect.gen(function* () {
          const config = yield* decodeSubmitted(input)
          const encoded = yield* encode(config)
          yield* readsBack(config, encoded)
          return admitted(config, encoded, yield* check(config))
        }).pipe(
          Effect.catchTag("ParseError", (error) => invalid(error)),
          Effect.provide(services)
        ),

      recorded: (encoded, submission) =>
        Effect.gen(function* () {
          const config = yield* decodeRecorded(encoded)
          return admitted(config, encoded, yield* check(config, submission))
        }).pipe(
          Effect.catchTag("ParseError", (error) => invalid(error)),
          Effect.provide(services)
        )
    }
  })

const invalid = (error: ParseResult.ParseError): InvalidJobConfig => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => ({
    path: path.map((key) => (typeof key === "number" ? key : String(key))),
    message
  }))
  // A bad optional field is reported twice: as what it should be, and as not missing either.
  return new InvalidJobConfig({
    issues: issues.filter(
      (issue) =>
        !issue.message.startsWith("Expected undefined, actual") ||
        !issues.some((other) => other !== issue && issue.path.every((key, i) => other.path[i] === key))
    )
  })
}
