/**
 * Renders the help texts of `--help`.
 */
import * as StyledLine from "../terminal/StyledLine.js"
import * as text from "../terminal/text.js"
import type { Command, Group } from "./CommandTree.js"
import * as globals from "./globals.js"
import * as Parameter from "./Parameter.js"

/** A name and what it stands for. */
type Entry = readonly [name: string, meaning: string]

export const render = (
  path: ReadonlyArray<string>,
  node: Command | Group,
  columns: number
): ReadonlyArray<StyledLine.Line> =>
  "children" in node ? ofGroup(path, node, columns) : ofCommand(path, node, columns)

const ofGroup = (path: ReadonlyArray<string>, group: Group, columns: number): ReadonlyArray<StyledLine.Line> => [
  ...paragraph(group.description, columns),
  ...section("Usage", [[StyledLine.raw(`  ${[...path, "COMMAND"].join(" ")}`)]]),
  ...section("Commands", table(summaries(group), columns)),
  ...section("Options of every command", table(globals.all.map(entry), columns)),
  StyledLine.empty,
  ...paragraph(`For help on a command: ${path.join(" ")} COMMAND --help`, columns)
]

const ofCommand = (
  path: ReadonlyArray<string>,
  { description, example, parameters }: Command,
  columns: number
): ReadonlyArray<StyledLine.Line> => {
  const options = parameters.filter(({ kind }) => kind !== "argument")
  const usage = [...path, ...(options.length === 0 ? [] : ["[options]"]), ...argumentsOf(parameters)]
  return [
    ...paragraph(description, columns),
    ...section("Usage", [[StyledLine.raw(`  ${usage.join(" ")}`)]]),
    ...section("Arguments", table(parameters.filter(({ kind }) => kind === "argument").map(entry), columns)),
    ...section("Options", table(options.map(entry), columns)),
    StyledLine.empty,
    ...paragraph(`Example: ${example}`, columns)
  ]
}

/** Each command of the group with the first sentence of its description. */
const summaries = ({ children }: Group): ReadonlyArray<Entry> =>
  Object.entries(children).map(([name, node]): Entry => {
    const operands = "parameters" in node ? argumentsOf(node.parameters) : ["COMMAND"]
    return [[name, ...operands].join(" "), node.description.replace(/\. .*/s, ".")]
  })

const argumentsOf = (parameters: Command["parameters"]): ReadonlyArray<string> =>
  parameters
    .filter(({ kind }) => kind === "argument")
    .map((parameter) => {
      const name = `${Parameter.label(parameter)}${parameter.repeated ? "..." : ""}`
      return parameter.required ? name : `[${name}]`
    })

const entry = (parameter: Parameter.Parameter<unknown>): Entry => {
  const { alias, description, kind, placeholder, repeated } = parameter
  const value = kind === "option" ? ` ${placeholder}${repeated ? "..." : ""}` : ""
  return [`${Parameter.label(parameter)}${alias === undefined ? "" : `, -${alias}`}${value}`, description]
}

const section = (title: string, lines: ReadonlyArray<StyledLine.Line>): ReadonlyArray<StyledLine.Line> =>
  lines.length === 0 ? [] : [StyledLine.empty, [StyledLine.raw(title, "strong")], ...lines]

const paragraph = (content: string, columns: number): ReadonlyArray<StyledLine.Line> =>
  StyledLine.wrap([StyledLine.raw(content)], columns, 0)

/** Names on the left, meanings on the right, or below if the terminal is narrow. */
const table = (entries: ReadonlyArray<Entry>, columns: number): ReadonlyArray<StyledLine.Line> => {
  const longest = Math.max(0, ...entries.map(([name]) => text.width(name)))
  const indent = columns - longest > 30 ? longest + 4 : 6
  return entries.flatMap(([name, meaning]) => {
    const lines = paragraph(meaning, columns - indent).map((line) => [StyledLine.raw(" ".repeat(indent)), ...line])
    const [[, ...first] = [], ...others] = lines
    return text.width(name) + 4 > indent
      ? [[StyledLine.raw(`  ${name}`)], ...lines]
      : [[StyledLine.raw(`  ${name}`.padEnd(indent)), ...first], ...others]
  })
}
