/**
 * Runs a command line: finds the command, has the library parse its words, and answers with the exit code.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import { Effect, Exit, Layer, Logger, LogLevel, Option } from "effect"
import * as CommandLine from "./CommandLine.js"
import * as Completions from "./Completions.js"
import * as ExitCode from "./ExitCode.js"
import * as Failure from "./Failure.js"
import * as Help from "./Help.js"
import { Output, writeLines } from "./Output.js"
import type { Environment, Program } from "./Program.js"

export interface Options {
  readonly version: string
}

/** It fails in no way but by interruption. */
export const run = (
  program: Program,
  argv: ReadonlyArray<string>,
  options: Options
): Effect.Effect<number, never, Environment> =>
  Effect.gen(function* () {
    const output = yield* Output
    const asked = CommandLine.read(program, argv)
    const level = logLevel(asked)
    const exit = yield* answer(program, asked, options).pipe(
      quietLibrary,
      // What happens inside is written line by line, and an area that is drawn over would get between.
      Effect.provideService(Output, level === LogLevel.None ? output : { ...output, isTerminal: false }),
      Effect.provide(
        Layer.mergeAll(CliConfig.layer({ isCaseSensitive: true }), logTo(output.error), Logger.minimumLogLevel(level))
      ),
      Effect.exit
    )
    if (Exit.isSuccess(exit)) return ExitCode.completed
    const debug = LogLevel.lessThanEqual(level, LogLevel.Debug)
    const { code, text } = Failure.tell(exit.cause, { json: asked.json, debug, help: help(asked) })
    if (text !== "") yield* output.error(text)
    return code
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
      return yield* Effect.flatMap(Completions.make(root, asked.given.get("--completions")), write)
    }
    return yield* Option.match(asked.program.run, { onNone: () => Effect.void, onSome: (run) => run(words) })
  })

const help = ({ path }: CommandLine.Asked): string => `${path.join(" ")} --help`

/** Nothing is said of what happens inside, unless it is asked for. */
const logLevel = ({ given }: CommandLine.Asked): LogLevel.LogLevel =>
  LogLevel.allLevels.find(({ _tag }) => _tag.toLowerCase() === given.get("--log-level")) ?? LogLevel.None

const logTo = (write: (text: string) => Effect.Effect<void>) =>
  Logger.replace(
    Logger.defaultLogger,
    // What is written is in the stream's hands when this returns, and so stays in order.
    Logger.map(Logger.logfmtLogger, (line) => void Effect.runFork(write(`${line}\n`)))
  )

/** The library prints errors, in colours and with blank lines; they are told once, by whoever runs it. */
const quietLibrary = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.consoleWith((console) => Effect.withConsole(effect, { ...console, error: () => Effect.void }))
