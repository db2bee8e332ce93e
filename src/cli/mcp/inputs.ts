/**
 * Arguments that several tools share.
 */
import { type Effect, Schema } from "effect"
import type { Problem } from "../../daemon/Problem.js"
import * as JobRef from "../target/JobRef.js"

export const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

export const text = (description: string) => Schema.String.annotations({ description })

export const flag = (description: string) => optional(Schema.Boolean.annotations({ description }))

export const number = (least: number, most: number, description: string) =>
  Schema.Int.pipe(Schema.between(least, most)).annotations({ description })

export const job = text('The id of a job, a unique prefix or suffix of it (4 or more characters), or "latest".')

/** As the commands take it. */
export const reference = (job: string): Effect.Effect<string, Problem> => JobRef.parse(job)

export const repo = optional(
  text("A directory in the git repository; the directory in which this server was started by default.")
)

export const skip = optional(number(0, 1_000_000, "How many items to skip: next of the page before."))
