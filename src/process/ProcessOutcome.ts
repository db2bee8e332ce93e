/**
 * How a child process ended.
 */
import { Data, type Duration } from "effect"

/**
 * How a child process ended.
 *
 * @since 0.1.0
 * @category models
 */
export type ProcessOutcome = Data.TaggedEnum<{
  /** It exited. */
  Exited: { readonly code: number }
  /** It was ended by a signal that the runner did not send. */
  Signalled: { readonly signal: string }
  /** It was killed at its time limit. */
  TimedOut: { readonly limit: Duration.Duration }
  /** It was killed at its time limit without output. */
  SilentTooLong: { readonly limit: Duration.Duration }
  /** It was not started. */
  CouldNotStart: { readonly reason: StartFailure; readonly message: string }
}>

/**
 * Why a process could not be started.
 *
 * - `notFound`: the command, or the interpreter in its first line, does not exist
 * - `notExecutable`: the command exists but cannot be executed
 * - `directory`: the working directory is missing or cannot be entered
 * - `tooLong`: arguments and environment exceed the limit of the system
 * - `invalid`: an argument, variable or path is invalid on any system
 * - `exhausted`: too many processes or open files, or no memory
 * - `output`: the output file or pipe could not be created
 * - `other`: see the message
 *
 * @since 0.1.0
 * @category models
 */
export type StartFailure =
  "notFound" | "notExecutable" | "directory" | "tooLong" | "invalid" | "exhausted" | "output" | "other"

/**
 * Constructors and matchers of `ProcessOutcome`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const { $is, $match, CouldNotStart, Exited, Signalled, SilentTooLong, TimedOut } =
  Data.taggedEnum<ProcessOutcome>()
