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
  /** By itself. */
  Exited: { readonly code: number }
  /** By a signal that the runner did not send, as far as that is known. */
  Signalled: { readonly signal: string }
  /** It was ended, for it had run this long. */
  TimedOut: { readonly limit: Duration.Duration }
  /** It was ended, for it had printed nothing for this long. */
  SilentTooLong: { readonly limit: Duration.Duration }
  /** Nothing ran. */
  CouldNotStart: { readonly reason: StartFailure; readonly message: string }
}>

/**
 * - `notFound`: there is no such command, or not the interpreter that its first line names
 * - `notExecutable`: the command is there and cannot be executed
 * - `directory`: the working directory is missing or cannot be entered
 * - `tooLong`: arguments and environment are more than the system takes
 * - `invalid`: an argument, variable or path that no system takes
 * - `exhausted`: too many processes or open files, or no memory
 * - `output`: the file for the output, or the pipe, could not be made
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
