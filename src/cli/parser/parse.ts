/**
 * Parses a command line.
 */
import { Either, type Effect, Option } from "effect"
import { parseArgs } from "node:util"
import { nearest } from "../../yaml/didYouMean.js"
import type { Command, Environment, Group, ValuesOf } from "./CommandTree.js"
import * as globals from "./globals.js"
import * as Parameter from "./Parameter.js"
import { UsageError } from "./UsageError.js"

export interface Invocation {
  /** The words of the command, as far as they are known. */
  readonly path: ReadonlyArray<string>
  readonly node: Command | Group
  readonly action: "completions" | "help" | "run" | "version"
  /** Whether output is for a program; known even if the rest of the command line makes no sense. */
  readonly json: boolean
  readonly logLevel: string | undefined
  readonly shell: string | undefined
  /** A daemon to use instead of the home's, and the file with its token. */
  readonly server: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly valuesOf: ValuesOf
  /** What to run, or why the command line is refused; nothing for a group. */
  readonly effect: Either.Either<Effect.Effect<void, unknown, Environment> | undefined, UsageError>
}

type AnyParameter = Parameter.Parameter<unknown>

const tokenize = (args: ReadonlyArray<string>, parameters: ReadonlyArray<AnyParameter>) =>
  parseArgs({
    args: [...args],
    options: Object.fromEntries(
      parameters.flatMap(({ alias, kind, name }) =>
        kind === "argument"
          ? []
          : [[name, { type: kind === "flag" ? "boolean" : "string", ...(alias !== undefined && { short: alias }) }]]
      )
    ),
    allowPositionals: true,
    // Strict parsing ends at the first error, with Node's own message.
    strict: false,
    tokens: true
  }).tokens

type OptionToken = Extract<ReturnType<typeof tokenize>[number], { readonly kind: "option" }>

const looksLikeOption = (word: string): boolean => /^-\D/.test(word)

/** Collects the values of one command line, and its first error. */
const makeReader = () => {
  const values = new Map<AnyParameter, Array<string>>()
  let error: UsageError | undefined

  const fail = (problem: string, hint: string) => {
    error ??= new UsageError({ problem, hint })
  }

  const add = (parameter: AnyParameter, value: string) => {
    values.set(parameter, [...(values.get(parameter) ?? []), value])
  }

  const takeOption = (
    { inlineValue, name, rawName, value }: OptionToken,
    parameters: ReadonlyArray<AnyParameter>,
    help: string
  ) => {
    const named = parameters.filter(({ kind }) => kind !== "argument")
    const parameter = named.find((parameter) => parameter.name === name)
    if (parameter === undefined) {
      const near = nearest(rawName, named.map(Parameter.label))
      return fail(`unknown option ${rawName}`, near === undefined ? help : `did you mean ${near}?`)
    }
    const label = Parameter.label(parameter)
    if (parameter.kind === "flag") {
      if (inlineValue === true) fail(`${label} takes no value`, help)
      return add(parameter, "")
    }
    if (value === undefined || value === "" || (inlineValue !== true && looksLikeOption(value))) {
      return fail(`${label} needs a value: ${label} ${parameter.placeholder}`, help)
    }
    if (!parameter.repeated && values.has(parameter)) fail(`${label} was given more than once`, help)
    add(parameter, value)
  }

  const takeArgument = (word: string, index: number, parameters: ReadonlyArray<AnyParameter>, help: string) => {
    const expected = parameters.filter(({ kind }) => kind === "argument")
    const last = expected.at(-1)
    const parameter = expected[index] ?? (last?.repeated === true ? last : undefined)
    if (parameter === undefined) return fail(`unexpected argument "${word}"`, help)
    add(parameter, word)
  }

  return {
    fail,
    takeArgument,
    takeOption,
    error: () => error,
    valuesOf: (parameter: AnyParameter): ReadonlyArray<string> => values.get(parameter) ?? []
  }
}

type Reader = ReturnType<typeof makeReader>

const helpOf = (path: ReadonlyArray<string>): string => `see: ${path.join(" ")} --help`

/** The position in the tree that the words reach. */
interface Position {
  readonly path: ReadonlyArray<string>
  readonly node: Command | Group
  /** The words after the last one of the path. */
  readonly rest: ReadonlyArray<string>
  /** Whether the next word is not a command. */
  readonly isLost: boolean
}

const descend = (group: Group, path: ReadonlyArray<string>, words: ReadonlyArray<string>, reader: Reader): Position => {
  for (const token of tokenize(words, globals.all)) {
    if (token.kind === "option") reader.takeOption(token, globals.all, helpOf(path))
    if (token.kind !== "positional") continue
    const { index, value: name } = token
    const child = Object.hasOwn(group.children, name) ? group.children[name] : undefined
    if (child === undefined) {
      reader.fail(`unknown command "${name}"`, instead(path, group, name))
      return { path, node: group, rest: [], isLost: true }
    }
    const rest = words.slice(index + 1)
    return "children" in child
      ? descend(child, [...path, name], rest, reader)
      : { path: [...path, name], node: child, rest, isLost: false }
  }
  return { path, node: group, rest: [], isLost: false }
}

const takeAll = ({ parameters: own }: Command, { path, rest }: Position, reader: Reader): void => {
  const parameters = [...own, ...globals.all]
  let index = 0
  for (const token of tokenize(rest, parameters)) {
    if (token.kind === "option") reader.takeOption(token, parameters, helpOf(path))
    if (token.kind === "positional") reader.takeArgument(token.value, index++, parameters, helpOf(path))
  }
}

export const parse = (root: Group, argv: ReadonlyArray<string>): Invocation => {
  const end = argv.indexOf("--")
  const words = end === -1 ? argv : argv.slice(0, end)
  const reader = makeReader()
  const position = descend(root, ["charlotte"], argv[0] === "help" ? argv.slice(1) : argv, reader)
  const { isLost, node, path } = position
  if ("parameters" in node) takeAll(node, position, reader)
  const has = (parameter: AnyParameter) => reader.valuesOf(parameter).length > 0
  const other =
    argv[0] === "help" || Parameter.labels(globals.help).some((label) => words.includes(label))
      ? "help"
      : has(globals.version)
        ? "version"
        : has(globals.completions)
          ? "completions"
          : "run"
  return {
    path,
    node,
    action: isLost ? "run" : other,
    json: words.includes("--json"),
    logLevel: reader.valuesOf(globals.logLevel)[0],
    shell: reader.valuesOf(globals.completions)[0],
    server: valueOf(globals.server, reader),
    tokenFile: valueOf(globals.tokenFile, reader),
    valuesOf: reader.valuesOf,
    effect: bind(node, reader, helpOf(path))
  }
}

/** None if the value is missing, or refused, which `bind` reports. */
const valueOf = <A>(parameter: Parameter.Parameter<Option.Option<A>>, { valuesOf }: Reader): Option.Option<A> =>
  Either.getOrElse(parameter.decode(valuesOf(parameter)), () => Option.none())

const bind = (node: Command | Group, { error, valuesOf }: Reader, help: string): Invocation["effect"] => {
  const first = error()
  if (first !== undefined) return Either.left(first)
  const refused = ({ hint = help, problem }: Parameter.Invalid) => new UsageError({ problem, hint })
  const own = "parameters" in node ? node.bind(valuesOf) : Either.right(undefined)
  return Either.mapLeft(
    Either.flatMap(Either.all(globals.all.map((parameter) => parameter.decode(valuesOf(parameter)))), () => own),
    refused
  )
}

/** The suggestion for a word that is not a command. */
const instead = (path: ReadonlyArray<string>, { children, synonyms = {} }: Group, word: string): string => {
  const known = Object.hasOwn(synonyms, word) ? synonyms[word] : undefined
  const near = nearest(word, Object.keys(children))
  const commands = known ?? (near === undefined ? [] : [near])
  return commands.length === 0
    ? helpOf(path)
    : `did you mean ${commands.map((command) => `"${[...path, command].join(" ")}"`).join(" or ")}?`
}
