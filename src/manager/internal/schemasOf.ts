/**
 * The schemas of a kind of job, with the types that they have together.
 */
import { Schema } from "effect"
import type { Any, Config, Encoded, Error, Requirements, Starts, Success } from "../KindDefinition.js"
import type { KindSchemas } from "./kindSchemas.js"

export const schemasOf = <K extends Any>(
  kind: K
): KindSchemas<
  Config<K>,
  Encoded<K>,
  Success<K>,
  Schema.Schema.Encoded<K["success"]>,
  Error<K>,
  Schema.Schema.Encoded<K["error"]>,
  Requirements<K>
> => ({
  kind: kind.kind,
  config: Schema.asSchema<K["config"]>(kind.config),
  success: Schema.asSchema<K["success"]>(kind.success),
  error: Schema.asSchema<K["error"]>(kind.error),
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the type of `emit` says what is encoded
  events: kind.events as { readonly [type: string]: Schema.Schema<unknown, unknown, Requirements<K>> } | undefined,
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the type of `signal` says what is decoded
  signals: kind.signals as { readonly [name: string]: Schema.Schema<unknown, unknown, Requirements<K>> } | undefined,
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the definition makes them for its configurations
  starts: kind.starts as Starts<Config<K>>
})
