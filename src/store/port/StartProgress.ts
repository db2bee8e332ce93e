/**
 * Reports the progress of a start that takes seconds or minutes. The library logs it; the command line prints it.
 */
import { Context, Effect } from "effect"

export class StartProgress extends Context.Reference<StartProgress>()("charlotte/StartProgress", {
  defaultValue: (): ((line: string) => Effect.Effect<void>) => (line) => Effect.logInfo(line)
}) {}

/** The number of runs from which on a migration takes seconds. */
export const worthMentioning = 100_000

export const report = (line: string): Effect.Effect<void> => Effect.flatMap(StartProgress, (show) => show(line))

/** A number with separators, such as `1,000,000`. */
export const count = (n: number): string => n.toLocaleString("en-US")
