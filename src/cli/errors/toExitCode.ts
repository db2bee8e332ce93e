/**
 * What a command comes to: a code; and where it fails, what is said of it, which is loaded only then.
 */
import { Effect, Exit, FiberRef, HashSet, Logger, LogLevel } from "effect"
import * as ExitCode from "./ExitCode.js"
import type * as formatError from "./formatError.js"
import { Output } from "../terminal/Output.js"

export interface Manner extends Pick<formatError.Manner, "help" | "json"> {
  /** What is told of what happens inside. */
  readonly level: LogLevel.LogLevel
}

/** Runs a command, which fails in no way but by interruption then, and answers with the code. */
export const of = <R>(
  command: Effect.Effect<void, unknown, R>,
  { help, json, level }: Manner
): Effect.Effect<number, never, R | Output> =>
  Effect.gen(function* () {
    const output = yield* Output
    const exit = yield* command.pipe(
      // What happens inside is written line by line, and an area that is drawn over would get between.
      Effect.provideService(Output, level === LogLevel.None ? output : { ...output, isTerminal: false }),
      Effect.locally(FiberRef.currentLoggers, HashSet.make(logTo(output.error))),
      Logger.withMinimumLogLevel(level),
      Effect.exit
    )
    if (Exit.isSuccess(exit)) return ExitCode.completed
    const { tell } = yield* Effect.promise(() => import("./formatError.js"))
    const debug = LogLevel.lessThanEqual(level, LogLevel.Debug)
    const { code, text } = tell(exit.cause, { json, debug, help })
    if (text !== "") yield* output.error(text)
    return code
  })

/** The level of that name; nothing is said of what happens inside, unless it is asked for. */
export const levelOf = (name: string | undefined): LogLevel.LogLevel =>
  LogLevel.allLevels.find(({ _tag }) => _tag.toLowerCase() === name) ?? LogLevel.None

const logTo = (write: (text: string) => Effect.Effect<void>) =>
  // What is written is in the stream's hands when this returns, and so stays in order.
  Logger.map(Logger.logfmtLogger, (line) => void Effect.runFork(write(`${line}\n`)))
