/**
 * The tree of commands. Each is made with the library of commands, which parses its options and arguments; the way down
 * the tree is ours, since the library does not tell how it found a command, nor what else is there.
 */
import type { CliApp } from "@effect/cli/CliApp"
import * as Command from "@effect/cli/Command"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import type { Usage } from "@effect/cli/Usage"
import { type Array, type Effect, Option } from "effect"
import type { Output } from "../terminal/Output.js"

/** What every command may use; whatever else it needs it brings itself. */
export type Environment = CliApp.Environment | Output

export type Descriptor = CommandDescriptor.Command<unknown>

export interface Program {
  readonly name: string
  readonly descriptor: Descriptor
  readonly children: ReadonlyArray<Program>
  /** With its options and arguments, in the library's order; none of a group of commands. */
  readonly run: Option.Option<(words: ReadonlyArray<string>) => Effect.Effect<void, unknown, Environment>>
}

/** A command that does something. */
export const leaf = <Name extends string, R extends Environment, E, A>(
  command: Command.Command<Name, R, E, A>
): Program => {
  // The library skips what would be the interpreter and the script, and would show its name and version for --help.
  const run = Command.run(command, { name: nameOf(command.descriptor), version: "" })
  return {
    name: nameOf(command.descriptor),
    descriptor: command.descriptor,
    children: [],
    run: Option.some((words) => run(["", "", ...words]))
  }
}

/** A command that is only the first word of others. */
export const group = (name: string, description: string, children: Array.NonEmptyReadonlyArray<Program>): Program => {
  const [first, ...others] = children
  const child = ({ descriptor, name }: Program): [string, Descriptor] => [name, descriptor]
  const descriptor = CommandDescriptor.make(name).pipe(
    CommandDescriptor.withDescription(description),
    CommandDescriptor.withSubcommands([child(first), ...others.map(child)])
  )
  return { name, descriptor, children, run: Option.none() }
}

const nameOf = <A>(descriptor: CommandDescriptor.Command<A>): string =>
  [...CommandDescriptor.getNames(descriptor)].join()

/** An option, or an argument, whose one name is in angle brackets. */
export interface Parameter {
  readonly names: ReadonlyArray<string>
  /** A word that stands for the value of an option that takes one. */
  readonly value: Option.Option<string>
  readonly optional: boolean
  readonly repeated: boolean
}

const parametersIn = (usage: Usage): ReadonlyArray<Parameter> => {
  switch (usage._tag) {
    case "Named":
      return [{ names: usage.names, value: usage.acceptedValues, optional: false, repeated: false }]
    case "Optional":
      return parametersIn(usage.usage).map((parameter) => ({ ...parameter, optional: true }))
    case "Repeated":
      return parametersIn(usage.usage).map((parameter) => ({ ...parameter, optional: true, repeated: true }))
    case "Alternation":
    case "Concat":
      return [...parametersIn(usage.left), ...parametersIn(usage.right)]
    default:
      return []
  }
}

const startsWith =
  (start: string) =>
  ({ names }: Parameter) =>
    names.every((name) => name.startsWith(start))

const parameters = ({ descriptor }: Program) => parametersIn(CommandDescriptor.getUsage(descriptor))

export const options = (program: Program): ReadonlyArray<Parameter> => parameters(program).filter(startsWith("-"))

export const operands = (program: Program): ReadonlyArray<Parameter> => parameters(program).filter(startsWith("<"))
