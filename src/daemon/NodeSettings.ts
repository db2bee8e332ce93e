/**
 * How a daemon is a node of a cluster, as its command line, the environment and `config.yaml` say.
 */
import { Either, Option, ParseResult, Schema } from "effect"
import * as HostPort from "../internal/HostPort.js"

/** What is said in one of these places, as far as it is. */
export const NodeSettings = Schema.Struct({
  /** How other nodes reach this one: `HOST:PORT`. */
  advertise: Schema.optional(Schema.String),
  /** How many jobs it runs at once. */
  capacity: Schema.optional(Schema.Int),
  /** Whether it listens on every interface. */
  insecureCluster: Schema.optional(Schema.Boolean),
  /** Whether every node has the same repositories at the same paths. */
  sharedRepositories: Schema.optional(Schema.Boolean)
})
export type NodeSettings = typeof NodeSettings.Type

/** The settings of a node. */
export interface Node extends NodeSettings {
  readonly advertise: string
}

/** `HOST:PORT`, or what is wrong with it, as the end of a sentence. */
export const parseAddress = (text: string): Either.Either<string, string> =>
  Option.match(HostPort.parse(text), {
    onNone: () => Either.left(HostPort.expected),
    onSome: ({ text }) => Either.right(text)
  })

/** In `config.yaml`, and in a variable. */
export const AddressText = Schema.transformOrFail(
  Schema.String.annotations({ message: () => ({ message: `must be ${HostPort.expected}`, override: true }) }),
  Schema.String,
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.mapLeft(parseAddress(text), (expected) => new ParseResult.Type(ast, text, `must be ${expected}`)),
    encode: ParseResult.succeed
  }
)

/** The same as words of a command line. */
export const words = ({ advertise, capacity, insecureCluster, sharedRepositories }: NodeSettings) => [
  ...(advertise === undefined ? [] : ["--advertise", advertise]),
  ...(capacity === undefined ? [] : ["--capacity", String(capacity)]),
  ...(insecureCluster === true ? ["--insecure-cluster"] : []),
  ...(sharedRepositories === true ? ["--shared-repositories"] : [])
]
