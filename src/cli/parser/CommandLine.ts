/**
 * What the words of a command line ask for. The library parses those that are well-formed; of others it says little, or
 * takes an option that lacks its value for a file of that name. So they are looked through first, and brought into the
 * one order in which nothing can be mistaken: the options, `--`, and the rest.
 */
import { Either, LogLevel, Option } from "effect"
import { few, suggestion } from "../../yaml/didYouMean.js"
import * as CommandTree from "./CommandTree.js"
import { UsageError } from "./UsageError.js"

export interface Asked {
  /** The words that lead to the command, as far as they do. */
  readonly path: ReadonlyArray<string>
  readonly program: CommandTree.Program
  readonly what: "help" | "version" | "completions" | "run"
  /** Every option that was given by the first of its names, with its value. */
  readonly given: ReadonlyMap<string, string>
  /** Whether a program reads what is answered; known even if nothing else can be made of the words. */
  readonly json: boolean
  /** For the library; or why they make no sense. */
  readonly words: Either.Either<ReadonlyArray<string>, UsageError>
}

const choices = {
  "--log-level": LogLevel.allLevels.map(({ _tag }) => _tag.toLowerCase()),
  "--completions": ["bash", "zsh", "fish", "sh"]
}

const global = (names: ReadonlyArray<string>, values: ReadonlyArray<string> = []): CommandTree.Parameter => ({
  names,
  value: Option.liftPredicate(values.join(" | "), (value) => value !== ""),
  optional: true,
  repeated: false
})

/** What every command understands, and the library is not asked about. */
const everywhere: ReadonlyArray<CommandTree.Parameter> = [
  global(["--help", "-h"]),
  global(["--version"]),
  ...Object.entries(choices).map(([name, values]) => global([name], values))
]

const looksLikeOption = (word: string | undefined): boolean => word !== undefined && /^-\D/.test(word)

export const read = (root: CommandTree.Program, argv: ReadonlyArray<string>): Asked => {
  const rest = argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv]
  const path = [root.name]
  const given = new Map<string, string>()
  const options: Array<string> = []
  const operands: Array<string> = []
  let program = root
  let isLost = false
  let error: UsageError | undefined
  const complain = (problem: string) => {
    error ??= new UsageError({ problem, help: `${path.join(" ")} --help` })
  }

  const takeOption = (word: string) => {
    const [name = "", ...values] = word.startsWith("--") ? splitOnce(word, "=") : [word]
    const own = CommandTree.options(program)
    const option = [...own, ...everywhere].find(({ names }) => names.includes(name))
    if (option === undefined) {
      const names = [...own, ...everywhere].flatMap(({ names }) => names)
      return complain(`there is no option ${name}${suggestion(name, names)}`)
    }
    const [first = name] = option.names
    if (Option.isNone(option.value)) {
      if (values.length > 0) complain(`${name} takes no value`)
      if (own.includes(option) && !given.has(first)) options.push(first)
      return void given.set(first, "")
    }
    if (values.length === 0 && rest[0] !== undefined && !looksLikeOption(rest[0])) values.push(rest.shift() ?? "")
    const value = values[0] ?? ""
    if (value === "") return complain(`${name} needs a value: ${name} ${option.value.value}`)
    if (given.has(first) && !option.repeated) complain(`${name} is given twice`)
    given.set(first, value)
    const choices = option.value.value.split(" | ")
    if (choices.length > 1 && !choices.includes(value)) complain(`${name} must be one of ${choices.join(", ")}`)
    if (own.includes(option)) options.push(first, value)
  }

  const takeOperand = (word: string) => {
    if (program.children.length === 0) {
      const expected = CommandTree.operands(program)
      if (operands.push(word) > expected.length && !expected.some(({ repeated }) => repeated)) {
        complain(`"${word}" is one argument too many`)
      }
      return
    }
    const names = program.children.map(({ name }) => name)
    const child = program.children.find(({ name }) => name === word)
    if (child === undefined) {
      isLost = true
      return complain(`there is no command "${word}"${suggestion(word, names)}`)
    }
    program = child
    path.push(word)
  }

  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") for (const operand of rest.splice(0)) takeOperand(operand)
    else if (word.startsWith("-") && word !== "-") takeOption(word)
    else takeOperand(word)
  }

  const other = (["help", "version", "completions"] as const).find((name) => given.has(`--${name}`))
  const what = isLost ? "run" : (other ?? "run")
  if (what === "run") {
    const missing = CommandTree.operands(program)[operands.length]
    if (Option.isNone(program.run)) {
      complain(`a command is missing: there are ${few(program.children.map(({ name }) => name))}`)
    } else if (missing?.optional === false) complain(`${missing.names.join()} is missing`)
  }
  const words = [...options, ...(operands.length === 0 ? [] : ["--", ...operands])]
  const json = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json")
  return { path, program, what, given, json, words: error === undefined ? Either.right(words) : Either.left(error) }
}

const splitOnce = (text: string, separator: string): Array<string> => {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
