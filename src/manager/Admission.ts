/**
 * What a configuration has to pass before a job is admitted.
 */
import { Effect, ParseResult, Schema } from "effect"
import { InvalidJobConfig } from "../domain/errors.js"
import { stringify } from "../domain/Json.js"
import type { Checked, Service as Orchestrator } from "./Orchestrator.js"

export interface Admission<out C> {
  /** Takes what a caller submits; names every bad field at once, an unknown one too. */
  readonly submitted: (encoded: unknown) => Effect.Effect<Admitted<C>, InvalidJobConfig>
  /** Takes what an earlier Charlotte recorded; fields that this one does not know are passed over. */
  readonly recorded: (encoded: unknown, submission: unknown) => Effect.Effect<Admitted<C>, InvalidJobConfig>
}

export interface Decoded<out C> {
  readonly config: C
  /** As it is recorded: with the defaults filled in. */
  readonly encoded: unknown
}

export interface Admitted<out C> extends Decoded<C> {
  readonly key: string | undefined
  /** What the orchestrator found out, as JSON text. */
  readonly submission: string | undefined
}

/** What `quickly` knows is as the schema would decode it, and goes past that. */
export const make = <C, I>(
  schema: Schema.Schema<C, I>,
  orchestrator: Orchestrator<C>,
  quickly: (submitted: unknown) => Decoded<C> | undefined = () => undefined
): Admission<C> => {
  const encode = Schema.encode(schema)

  const admit = (onExcessProperty: "error" | "ignore") => {
    const decode = Schema.decodeUnknown(schema, { errors: "all", onExcessProperty })
    const bySchema = (input: unknown): Effect.Effect<Decoded<C>, InvalidJobConfig> =>
      Effect.flatMap(decode(input), (config) => Effect.map(encode(config), (encoded) => ({ config, encoded }))).pipe(
        Effect.mapError(invalid)
      )
    return (input: unknown, recorded?: unknown) =>
      Effect.gen(function* () {
        const { config, encoded } = quickly(input) ?? (yield* bySchema(input))
        const { key, submission }: Checked = yield* orchestrator.check?.(config, recorded) ?? Effect.succeed({})
        return { config, encoded, key, submission: submission === undefined ? undefined : stringify(submission) }
      })
  }

  return { submitted: admit("error"), recorded: admit("ignore") }
}

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
