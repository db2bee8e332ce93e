/**
 * The tree of commands, from which parsing, help, usage errors and completions derive.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, Either, type Scope } from "effect"
import type { Output } from "../terminal/Output.js"
import type { Invalid, Parameter } from "./Parameter.js"

/** The services that every command may use, in a scope that closes when it ends; a command provides any others itself. */
export type Environment = FileSystem | Output | Path | Scope.Scope

export interface Command {
  readonly description: string
  readonly example: string
  readonly parameters: ReadonlyArray<Parameter<unknown>>
  /** Whether it concerns only this machine, so that it refuses `--server`. */
  readonly isLocal?: boolean
  /** The effect of a command line with these values, or the first refused value. */
  readonly bind: (valuesOf: ValuesOf) => Either.Either<Effect.Effect<void, unknown, Environment>, Invalid>
}

/** All values of a parameter on a command line, in order; for a flag, one for each occurrence. */
export type ValuesOf = (parameter: Parameter<unknown>) => ReadonlyArray<string>

type Parameters = { readonly [key: string]: Parameter<unknown> }

type Given<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer A> ? A : never }

/** The code of a command is loaded only to run it: help, usage errors and completions need only its description. */
export const command = <P extends Parameters, E, R extends Environment>(
  {
    parameters,
    ...about
  }: Pick<Command, "description" | "example" | "isLocal"> & {
    readonly parameters: P
  },
  load: () => Promise<(given: Given<P>) => Effect.Effect<void, E, R>>
): Command => ({
  ...about,
  parameters: Object.values(parameters),
  bind: (valuesOf) =>
    Either.map(decode(parameters, valuesOf), (given) => Effect.flatMap(Effect.promise(load), (run) => run(given)))
})

const decode = <P extends Parameters>(parameters: P, valuesOf: ValuesOf): Either.Either<Given<P>, Invalid> => {
  const decoded = Object.entries(parameters).map(([key, parameter]) =>
    Either.map(parameter.decode(valuesOf(parameter)), (value) => [key, value])
  )
  // oxlint-disable-next-line typescript/consistent-type-assertions -- each key has the decoded value of its own parameter
  return Either.map(Either.all(decoded), (entries) => Object.fromEntries(entries) as Given<P>)
}

/** A command that only groups other commands. */
export interface Group {
  readonly description: string
  readonly children: { readonly [name: string]: Command | Group }
  /** Names of commands in other programs, with the equivalent commands here. */
  readonly synonyms?: { readonly [word: string]: ReadonlyArray<string> }
}
