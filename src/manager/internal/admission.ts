/**
 * Decodes and checks the configuration of a job before it is admitted.
 */
import { type Context, Data, Effect, type Option, Schema } from "effect"
import type { InvalidJobConfig } from "../../domain/errors.js"
import { invalidConfig } from "../../domain/invalidConfig.js"
import { keyProblem } from "../../domain/StartOptions.js"
import { stringify } from "../../internal/Json.js"
import * as Permits from "../../internal/Permits.js"
import type { Checked, Service as Orchestrator } from "../Orchestrator.js"
import { firstIssue } from "./kindSchemas.js"
import { defaultMaxBytes } from "./maxBytes.js"
import * as Provide from "./provide.js"
import * as ReadBack from "./readBack.js"

export interface Admission<in out C> {
  /** Decodes a submitted configuration; reports every invalid field at once, unknown fields included. */
  readonly decode: (encoded: unknown) => Effect.Effect<Decoded<C>, InvalidJobConfig>
  /** Runs the check of the orchestrator on a submitted configuration. */
  readonly check: (config: C) => Effect.Effect<Submitted, InvalidJobConfig>
  /** Decodes a recorded configuration, as `recorded`; fails with the first field that does not decode. */
  readonly decodeRecorded: (encoded: unknown) => Effect.Effect<C, { readonly field: string; readonly issue: string }>
  /** Decodes and checks a recorded configuration; ignores unknown fields, which another version may have recorded. */
  readonly recorded: (
    encoded: unknown,
    submission: unknown
  ) => Effect.Effect<Admitted<C>, InvalidJobConfig | Undecodable>
  /** Why a recorded configuration does not decode; none if it does. */
  readonly problem: (encoded: unknown) => Effect.Effect<Option.Option<Undecodable>>
}

/** A recorded configuration that does not decode: that of another version of the kind may decode it. */
export class Undecodable extends Data.TaggedError("Undecodable")<{ readonly invalid: InvalidJobConfig }> {
  override get message() {
    return this.invalid.message
  }
}

export interface Decoded<out C> {
  readonly config: C
  /** The configuration as it is recorded: with the defaults filled in. */
  readonly encoded: unknown
}

export interface Submitted {
  readonly key: string | undefined
  readonly keyName: string | undefined
  readonly title: string | undefined
  /** The submission data of the check, as JSON text. */
  readonly submission: string | undefined
}

export interface Admitted<out C> extends Submitted {
  readonly config: C
}

/** Decodes submitted configurations. */
export const decoder = <C, I, R>(
  schema: Schema.Schema<C, I, R>,
  services: Context.Context<R>,
  maxBytes = defaultMaxBytes
): Admission<C>["decode"] => {
  const provide = Provide.make(services)
  const encode = Schema.encode(schema)
  const readsBack = ReadBack.make(schema, provide, maxBytes)
  const decode = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "error" })
  return (input) =>
    Effect.gen(function* () {
      const config = yield* provide(decode(input))
      const encoded = yield* provide(encode(config))
      yield* readsBack(config, encoded)
      return { config, encoded }
    }).pipe(Effect.catchTag("ParseError", (error) => invalidConfig(error)))
}

/** Decodes recorded configurations. */
export const recordedDecoder = <C, I, R>(
  schema: Schema.Schema<C, I, R>,
  services: Context.Context<R>
): Admission<C>["decodeRecorded"] => {
  const provide = Provide.make(services)
  const decode = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "ignore" })
  return (encoded) => Effect.mapError(provide(decode(encoded)), (error) => firstIssue("config", error))
}

export const make = <C, I, RS, R, R2>(options: {
  readonly config: Schema.Schema<C, I, RS>
  readonly orchestrator: Orchestrator<C, R, R2>
  readonly services: Context.Context<RS | R2>
  /** How many checks run at once, since each may start processes, such as git. */
  readonly maxChecks: number
  readonly maxBytes: number
}): Effect.Effect<Admission<C>> =>
  Effect.sync(() => {
    const inTurn = Permits.make(options.maxChecks)
    const { config: schema, maxBytes, orchestrator, services } = options
    const provide = Provide.make(services)
    const decode = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty: "ignore" })
    const decodeRecorded = (encoded: unknown): Effect.Effect<C, Undecodable> =>
      Effect.mapError(provide(decode(encoded)), (error) => new Undecodable({ invalid: invalidConfig(error) }))

    const check = (config: C, recorded?: unknown): Effect.Effect<Checked, InvalidJobConfig> =>
      orchestrator.check === undefined
        ? Effect.succeed({})
        : provide(inTurn(Effect.suspend(() => orchestrator.check?.(config, recorded) ?? Effect.succeed({}))))

    const submitted = ({ key, keyName, submission, title }: Checked): Effect.Effect<Submitted, InvalidJobConfig> =>
      keyProblem(key) ??
      Effect.succeed({ key, keyName, title, submission: submission === undefined ? undefined : stringify(submission) })

    return {
      decode: decoder(schema, services, maxBytes),

      check: (config) => Effect.flatMap(check(config), submitted),

      decodeRecorded: recordedDecoder(schema, services),

      recorded: (encoded, submission) =>
        Effect.gen(function* () {
          const config = yield* decodeRecorded(encoded)
          return { config, ...(yield* submitted(yield* check(config, submission))) }
        }),

      problem: (encoded) => Effect.option(Effect.flip(decodeRecorded(encoded)))
    }
  })
