/**
 * A tool of the MCP server: its input is decoded, and its output is encoded, by the schemas that the agent gets.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, JSONSchema, ParseResult, Schema, type Scope } from "effect"
import type { Home } from "../../daemon/home/Home.js"
import { Problem } from "../../daemon/Problem.js"
import type { Output } from "../terminal/Output.js"

export type Environment = FileSystem | Home | Output | Path | Scope.Scope

interface About {
  readonly name: string
  readonly description: string
  /** For clients that ask their user before a call. */
  readonly hints: {
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
  }
}

/** A JSON Schema of an object. */
type ObjectSchema = { type: "object" }

const ofObject = (schema: JSONSchema.JsonSchema7Root): ObjectSchema => JSON.parse(JSON.stringify(schema))

export interface Tool extends About {
  readonly inputSchema: ObjectSchema
  readonly outputSchema: ObjectSchema
  /** The encoded output. */
  readonly call: (input: unknown) => Effect.Effect<unknown, unknown, Environment>
}

export const make = <I extends Schema.Struct.Fields, O extends Schema.Struct.Fields, E, R extends Environment>({
  input,
  output,
  run,
  ...about
}: About & {
  readonly input: Schema.Struct<I> & Schema.Schema<Schema.Struct.Type<I>, Schema.Struct.Encoded<I>>
  readonly output: Schema.Struct<O> & Schema.Schema<Schema.Struct.Type<O>, Schema.Struct.Encoded<O>>
  readonly run: (input: Schema.Struct.Type<I>) => Effect.Effect<Schema.Struct.Type<O>, E, R>
}): Tool => {
  const decode = Schema.decodeUnknown(input, { errors: "all", onExcessProperty: "error" })
  const encode = Schema.encode(output)
  return {
    ...about,
    inputSchema: ofObject(JSONSchema.make(input)),
    outputSchema: ofObject(JSONSchema.make(output)),
    call: (given) =>
      decode(given ?? {}).pipe(
        Effect.mapError((error) => {
          const problems = ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) =>
            [path.join("."), message].filter(Boolean).join(": ")
          )
          return new Problem({ name: "InvalidArguments", problem: problems.join("; ") })
        }),
        Effect.flatMap(run),
        Effect.flatMap((result) => Effect.orDie(encode(result)))
      )
  }
}

const hints = (readOnlyHint: boolean, destructiveHint: boolean, idempotentHint: boolean) => ({
  readOnlyHint,
  destructiveHint,
  idempotentHint
})

export const reads = hints(true, false, true)
export const adds = hints(false, false, false)
export const decides = hints(false, true, false)
