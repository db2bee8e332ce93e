/**
 * The tree of commands, from which parsing, help, usage errors and completions derive.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, Either, type Scope } from "effect"
import type { Output } from "../terminal/Output.js"
import type { Invalid, Parameter } from "./Parameter.js"

/** What every command may use, in a scope that closes when it ends; it provides whatever else it needs itself. */
export type Environment = FileSystem | Output | Path | Scope.Scope

export interface Command {
  readonly description: string
  readonly example: string
  readonly parameters: ReadonlyArray<Parameter<unknown>>
  /** Whether it is about this machine alone, and so about no other daemon. */
  readonly isLocal?: boolean
  /** The effect of a command line with these values, or the first that is refused. */
  readonly bind: (valuesOf: ValuesOf) => Either.Either<Effect.Effect<void, unknown, Environment>, Invalid>
}

/** All values of a parameter on a command line, in order; of a flag, one for each time it is there. */
export type ValuesOf = (parameter: Parameter<unknown>) => ReadonlyArray<string>

type Parameters = { readonly [key: string]: Parameter<unknown> }

type Given<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer A> ? A : never }

/** What it runs is loaded when it runs: help, usage errors and completions need only what describes it. */
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
  // oxlint-disable-next-line typescript/consistent-type-assertions -- each key has what its own parameter decodes to
  return Either.map(Either.all(decoded), (entries) => Object.fromEntries(entries) as Given<P>)
}

/** A word that only leads to other commands. */
export interface Group {
  readonly description: string
  readonly children: { readonly [name: string]: Command | Group }
  /** Words that other programs have for what commands of this one do, with these commands. */
  readonly synonyms?: { readonly [word: string]: ReadonlyArray<string> }
}
