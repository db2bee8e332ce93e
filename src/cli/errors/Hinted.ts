/**
 * An error with a hint for the failed command, instead of the general hint.
 */
import { Data } from "effect"

export class Hinted extends Data.TaggedError("Hinted")<{ readonly error: unknown; readonly hint: string }> {}
