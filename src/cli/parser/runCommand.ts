/**
 * Runs a command line: finds the command, has the library parse its words, and answers with the exit code.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import { Effect, Option } from "effect"
import * as CommandLine from "./CommandLine.js"
import * as completions from "./completions.js"
import * as Help from "./help.js"
import * as toExitCode from "../errors/toExitCode.js"
import { Output, writeLines } from "../terminal/Output.js"
import type { Environment, Program } from "./CommandTree.js"

export interface Options {
  readonly version: string
}

/** It fails in no way but by interruption. */
export const run = (
  program: Program,
  argv: ReadonlyArray<string>,
  options: Options
): Effect.Effect<number, never, Environment> =>
  Effect.suspend(() => {
    const asked = CommandLine.read(program, argv)
    const command = answer(program, asked, options).pipe(
      quietLibrary,
      Effect.provide(CliConfig.layer({ isCaseSensitive: true }))
    )
    const level = toExitCode.levelOf(asked.given.get("--log-level"))
    return toExitCode.of(command, { json: asked.json, level, help: help(asked) })
  })

const answer = (
  root: Program,
  asked: CommandLine.Asked,
  { version }: Options
): Effect.Effect<void, unknown, Environment> =>
  Effect.gen(function* () {
    const { columns } = yield* Effect.flatMap(Output, ({ size }) => size)
    if (asked.what === "help") return yield* writeLines(Help.render(asked.path, asked.program, Math.min(columns, 100)))
    const { write } = yield* Output
    if (asked.what === "version") return yield* write(`${version}\n`)
    const words = yield* asked.words
    if (asked.what === "completions") {
      return yield* Effect.flatMap(completions.make(root, asked.given.get("--completions")), write)
    }
    return yield* Option.match(asked.program.run, { onNone: () => Effect.void, onSome: (run) => run(words) })
  })

const help = ({ path }: CommandLine.Asked): string => `${path.join(" ")} --help`

/** The library prints errors, in colours and with blank lines; they are told once, by whoever runs it. */
const quietLibrary = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.consoleWith((console) => Effect.withConsole(effect, { ...console, error: () => Effect.void }))
