/**
 * The settings of a daemon as a node of a cluster, from its command line, the environment and `config.yaml`.
 */
import { Either, Option, ParseResult, Schema } from "effect"
import * as HostPort from "../../internal/HostPort.js"

/** The settings from one of these sources; all optional. */
export const NodeSettings = Schema.Struct({
  /** The address at which other nodes reach this one: `HOST:PORT`. */
  advertise: Schema.optional(Schema.String),
  /** How many jobs it runs at once. */
  capacity: Schema.optional(Schema.Int),
  /** Whether it listens on every interface. */
  insecureCluster: Schema.optional(Schema.Boolean),
  /** Whether every node has the same repositories at the same paths. */
  sharedRepositories: Schema.optional(Schema.Boolean)
})
export type NodeSettings = typeof NodeSettings.Type

/** The settings of several sources: of each setting, the first one counts. */
export const firstOf = (...sources: ReadonlyArray<NodeSettings>): NodeSettings => {
  const first = <Name extends keyof NodeSettings>(name: Name): NodeSettings[Name] =>
    sources.find((settings) => settings[name] !== undefined)?.[name]
  return {
    advertise: first("advertise"),
    capacity: first("capacity"),
    insecureCluster: first("insecureCluster"),
    sharedRepositories: first("sharedRepositories")
  }
}

/** The settings of a node. */
export interface Node extends NodeSettings {
  readonly advertise: string
}

/** Parses `HOST:PORT`; a problem is the end of a sentence. */
export const parseAddress = (text: string): Either.Either<string, string> =>
  Option.match(HostPort.parse(text), {
    onNone: () => Either.left(HostPort.expected),
    onSome: ({ text }) => Either.right(text)
  })

/** Its form in `config.yaml`, and in a variable. */
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

/** Settings as arguments of a command line: `insecureCluster: true` is `--insecure-cluster`. */
export const words = (settings: {
  readonly [name: string]: string | number | boolean | undefined
}): ReadonlyArray<string> =>
  Object.entries(settings).flatMap(([name, value]) => {
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    if (value === undefined || value === false) return []
    return value === true ? [option] : [option, String(value)]
  })
