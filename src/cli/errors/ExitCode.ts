/**
 * What the process says at its end: the codes of `sysexits.h` and of shells where they have one for it.
 */
import { Schema } from "effect"
import type { RunStatus } from "../../domain/RunStatus.js"

export const completed = 0
export const failed = 1
/** The command line, or what it leads to, is not what it must be: another try will fail as well. */
export const invalid = 2
/** A bug. */
export const internal = 70
/** Not now: at capacity, or somebody else works on the same. */
export const busy = 75
/** As shells say of SIGINT. */
export const interrupted = 130
/** As shells say of SIGPIPE. */
export const closed = 141

/** The job's own end is that of the command which followed it. */
export const ofStatus: { readonly [Status in RunStatus]: number } = {
  completed,
  failed,
  cancelled: interrupted,
  interrupted,
  pending: interrupted,
  running: interrupted
}

/** Ends the process with a code other than 0, when all that there is to say has been said. */
export class Quit extends Schema.TaggedError<Quit>()("Quit", { code: Schema.Int }) {}
