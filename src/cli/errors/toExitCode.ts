/**
 * Turns the outcome of a command into an exit code, and prints its error.
 */
import { Effect, Exit, FiberRef, HashSet, Logger, LogLevel } from "effect"
import * as ExitCode from "./ExitCode.js"
import type * as formatError from "./formatError.js"
import { Output } from "../terminal/Output.js"

export interface Manner extends Pick<formatError.Manner, "json"> {
  /** The minimum level of messages that are logged to standard error. */
  readonly level: LogLevel.LogLevel
}

/** Runs a command. The result fails only by interruption. */
export const of = <R>(
  command: Effect.Effect<void, unknown, R>,
  { json, level }: Manner
): Effect.Effect<number, never, R | Output> =>
  Effect.gen(function* () {
    const output = yield* Output
    const exit = yield* command.pipe(
      // Log lines and a live region would overwrite each other.
      Effect.provideService(Output, level === LogLevel.None ? output : { ...output, isTerminal: false }),
      Effect.locally(FiberRef.currentLoggers, HashSet.make(logTo(output.error, level))),
      Logger.withMinimumLogLevel(level),
      Effect.exit
    )
    if (Exit.isSuccess(exit)) return ExitCode.completed
    const { format } = yield* Effect.promise(() => import("./formatError.js"))
    const debug = LogLevel.lessThanEqual(level, LogLevel.Debug)
    const { code, text } = format(exit.cause, { json, debug })
    if (text !== "") yield* output.error(text)
    return code
  })

/** The level of that name; without one, nothing is logged. */
export const levelOf = (name: string | undefined): LogLevel.LogLevel =>
  LogLevel.allLevels.find(({ _tag }) => _tag.toLowerCase() === name) ?? LogLevel.None

const logTo = (write: (text: string) => Effect.Effect<void>, least: LogLevel.LogLevel) =>
  Logger.logfmtLogger.pipe(
    // The stream has the line when this returns, so lines stay in order.
    Logger.map((line) => void Effect.runFork(write(`${line}\n`))),
    // Other loggers may log, and export, more than this.
    Logger.filterLogLevel((level) => LogLevel.greaterThanEqual(level, least))
  )
