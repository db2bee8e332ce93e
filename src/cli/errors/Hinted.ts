/**
 * An error with what to do about it after the command that failed, in place of the general hint.
 */
import { Data } from "effect"

export class Hinted extends Data.TaggedError("Hinted")<{ readonly error: unknown; readonly hint: string }> {}
