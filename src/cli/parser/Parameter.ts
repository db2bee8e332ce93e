/**
 * The flags, options and arguments of a command. Parsing, help, usage errors and completions all derive from these.
 */
import { Either, Option } from "effect"
import { resolve } from "node:path"

/** A completion candidate. */
export interface Candidate {
  readonly value: string
  readonly description: string
}

export type Source = "agents" | "branches" | "directories" | "jobs" | "units"

/** Why a value is refused; without a hint, the error refers to the help of the command. */
export interface Invalid {
  readonly problem: string
  readonly hint?: string
}

export interface Parameter<A> {
  readonly kind: "argument" | "flag" | "option"
  /** Without dashes or brackets. */
  readonly name: string
  /** A one-letter alias. */
  readonly alias?: string | undefined
  /** Stands for the value of an option in help texts. */
  readonly placeholder?: string
  readonly description: string
  readonly required: boolean
  readonly repeated: boolean
  /** The only values that are accepted, if they are known in advance. */
  readonly choices: ReadonlyArray<string>
  readonly source?: Source | undefined
  /** Decodes all of its values on the command line: at most one, unless it is repeated. */
  readonly decode: (values: ReadonlyArray<string>) => Either.Either<A, Invalid>
}

/** Its spelling: `--json`, or `<job>`. */
export const label = ({ kind, name }: Pick<Parameter<unknown>, "kind" | "name">): string =>
  kind === "argument" ? `<${name}>` : `--${name}`

/** All of its spellings. */
export const labels = (parameter: Parameter<unknown>): ReadonlyArray<string> => [
  label(parameter),
  ...(parameter.alias === undefined ? [] : [`-${parameter.alias}`])
]

export const flag = (
  name: string,
  options: { readonly description: string; readonly alias?: string }
): Parameter<boolean> => ({
  ...options,
  kind: "flag",
  name,
  required: false,
  repeated: false,
  choices: [],
  decode: (values) => Either.right(values.length > 0)
})

interface OptionSettings {
  readonly placeholder: string
  readonly description: string
  readonly source?: Source
}

/** Decodes a value; a failure describes the expected value, as the end of a sentence. */
export type Decode<A> = (text: string) => Either.Either<A, string>

const anyText: Decode<string> = (text) => Either.right(text)

const refusal =
  (name: string, value: string) =>
  (expected: string): Invalid => ({ problem: `invalid value "${value}" for --${name}: expected ${expected}` })

export const option = <A>(name: string, settings: OptionSettings, decode: Decode<A>): Parameter<Option.Option<A>> => ({
  ...settings,
  kind: "option",
  name,
  required: false,
  repeated: false,
  choices: [],
  decode: ([value]) =>
    value === undefined
      ? Either.right(Option.none())
      : Either.mapBoth(decode(value), { onLeft: refusal(name, value), onRight: Option.some })
})

export const textOption = (name: string, settings: OptionSettings): Parameter<Option.Option<string>> =>
  option(name, settings, anyText)

/** A file, as an absolute path: the daemon runs in another directory. */
export const fileOption = (name: string, description: string): Parameter<Option.Option<string>> =>
  option(name, { placeholder: "FILE", description }, (path) => Either.right(resolve(path)))

export const choiceOption = <const A extends string>(
  name: string,
  placeholder: string,
  choices: ReadonlyArray<A>,
  description: string
): Parameter<Option.Option<A>> => ({
  ...option(name, { placeholder, description }, (text) =>
    Either.fromNullable(
      choices.find((choice) => choice === text),
      () => `one of ${choices.join(", ")}`
    )
  ),
  choices
})

export const repeatedOption = <A>(
  name: string,
  settings: OptionSettings,
  decode: Decode<A>
): Parameter<ReadonlyArray<A>> => ({
  ...settings,
  kind: "option",
  name,
  required: false,
  repeated: true,
  choices: [],
  decode: (values) => Either.all(values.map((value) => Either.mapLeft(decode(value), refusal(name, value))))
})

interface ArgumentSettings<A> {
  readonly description: string
  readonly source?: Source
  readonly decode: (text: string) => Either.Either<A, Invalid>
}

const missing = (name: string): Invalid => ({ problem: `missing argument <${name}>` })

export const argument = <A>(name: string, settings: ArgumentSettings<A>): Parameter<A> => ({
  ...settings,
  kind: "argument",
  name,
  required: true,
  repeated: false,
  choices: [],
  decode: ([value]) => (value === undefined ? Either.left(missing(name)) : settings.decode(value))
})

export const optionalArgument = <A>(name: string, settings: ArgumentSettings<A>): Parameter<Option.Option<A>> => ({
  ...settings,
  kind: "argument",
  name,
  required: false,
  repeated: false,
  choices: [],
  decode: ([value]) =>
    value === undefined ? Either.right(Option.none()) : Either.map(settings.decode(value), Option.some)
})

export const repeatedArgument = <A>(name: string, settings: ArgumentSettings<A>): Parameter<ReadonlyArray<A>> => ({
  ...settings,
  kind: "argument",
  name,
  required: false,
  repeated: true,
  choices: [],
  decode: (values) => Either.all(values.map(settings.decode))
})
