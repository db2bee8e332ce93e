/**
 * What `--help` shows: the library's knowledge of a command, in a form that is read at a glance.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import type { HelpDoc } from "@effect/cli/HelpDoc"
import type { Span } from "@effect/cli/HelpDoc/Span"
import * as StyledLine from "../terminal/StyledLine.js"
import * as CommandTree from "./CommandTree.js"
import * as Terminal from "../terminal/text.js"

/** A name and what it stands for. */
type Entry = readonly [name: string, meaning: string]

const everywhere: ReadonlyArray<Entry> = [
  ["--help, -h", "Shows this help, of any command."],
  ["--version", "Shows the version."],
  ["--log-level LEVEL", "Shows what happens inside, on the standard error: debug, info, warning or error."],
  ["--completions SHELL", "Writes a script that completes commands in bash, zsh or fish."]
]

export const render = (
  path: ReadonlyArray<string>,
  program: CommandTree.Program,
  columns: number
): ReadonlyArray<StyledLine.Line> => {
  const { about, entries, more } = contents(program)
  const [root] = path
  return [
    ...paragraph(about, columns),
    ...section("Usage", [[StyledLine.raw(`  ${usage(path, program)}`)]]),
    ...section("Commands", table(program.children.map(summary), columns)),
    ...section("Arguments", table(entries.filter(isArgument), columns)),
    ...section(
      "Options",
      table(
        entries.filter((entry) => !isArgument(entry)),
        columns
      )
    ),
    ...(program.children.length === 0 ? [] : section("Every command has", table(everywhere, columns))),
    ...more.flatMap((text) => [StyledLine.empty, ...paragraph(text, columns)]),
    ...(program.children.length === 0
      ? []
      : [StyledLine.empty, ...paragraph(`More of each: ${root} COMMAND --help`, columns)])
  ]
}

const usage = (path: ReadonlyArray<string>, program: CommandTree.Program): string => {
  const own = CommandTree.options(program).length === 0 ? [] : ["[options]"]
  const rest = program.children.length === 0 ? [...own, ...operands(program)] : ["COMMAND"]
  return [...path, ...rest].join(" ")
}

const summary = (program: CommandTree.Program): Entry => [
  [program.name, ...operands(program)].join(" "),
  // The first sentence.
  contents(program).about.replace(/\. .*/, ".")
]

const operands = (program: CommandTree.Program): ReadonlyArray<string> =>
  CommandTree.operands(program).map(({ names, optional, repeated }) => {
    const name = `${names.join()}${repeated ? "..." : ""}`
    return optional ? `[${name}]` : name
  })

const isArgument = ([name]: Entry): boolean => name.startsWith("<")

const section = (title: string, lines: ReadonlyArray<StyledLine.Line>): ReadonlyArray<StyledLine.Line> =>
  lines.length === 0 ? [] : [StyledLine.empty, [StyledLine.raw(title, "strong")], ...lines]

const paragraph = (text: string, columns: number): ReadonlyArray<StyledLine.Line> =>
  Terminal.wrap(text, columns).map((line) => [StyledLine.raw(line)])

/** Names to the left, meanings to the right, or below where it is narrow. */
const table = (entries: ReadonlyArray<Entry>, columns: number): ReadonlyArray<StyledLine.Line> => {
  const longest = Math.max(0, ...entries.map(([name]) => Terminal.width(name)))
  const indent = columns - longest > 30 ? longest + 4 : 6
  return entries.flatMap(([name, meaning]) => {
    const lines = Terminal.wrap(meaning, columns - indent).map((text) => [StyledLine.raw(" ".repeat(indent) + text)])
    const [first, ...others] = lines
    if (first === undefined || Terminal.width(name) + 4 > indent) return [[StyledLine.raw(`  ${name}`)], ...lines]
    return [
      [StyledLine.raw(`  ${name}`.padEnd(indent)), ...first.map(({ text }) => StyledLine.raw(text.trimStart()))],
      ...others
    ]
  })
}

const contents = ({ descriptor }: CommandTree.Program) => {
  const help = blocks(CommandDescriptor.getHelp(descriptor, { ...CliConfig.defaultConfig, showBuiltIns: false }))
  const entries = help.flatMap((block) =>
    // Of an entry the library says first of what kind it is, and last whether it may be left out.
    block._tag === "DescriptionList"
      ? block.definitions.map(([name, doc]): Entry => [nameOf(textOf(name)), blocks(doc).flatMap(textIn)[1] ?? ""])
      : []
  )
  const [about = "", ...more] = help.flatMap(textIn)
  return { about, more, entries }
}

/** The library puts more than one in brackets, the short one first. */
const nameOf = (text: string): string => text.replace(/^\((-\w), (--[\w-]+)\)/, "$2, $1")

const blocks = (doc: HelpDoc): ReadonlyArray<Exclude<HelpDoc, { _tag: "Sequence" }>> =>
  doc._tag === "Sequence" ? [...blocks(doc.left), ...blocks(doc.right)] : [doc]

const textIn = (doc: HelpDoc): ReadonlyArray<string> => (doc._tag === "Paragraph" ? [textOf(doc.value)] : [])

const textOf = (span: Span): string => {
  switch (span._tag) {
    case "Text":
    case "URI":
      return span.value
    case "Sequence":
      return textOf(span.left) + textOf(span.right)
    default:
      return textOf(span.value)
  }
}
