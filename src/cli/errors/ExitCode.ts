/**
 * Exit codes of the command, as in `sysexits.h` and shells where they define one.
 */
import { Schema } from "effect"
import type { RunStatus } from "../../domain/RunStatus.js"

export const completed = 0
export const failed = 1
/** The command line, or what it refers to, is invalid: a retry fails as well. */
export const invalid = 2
/** A daemon is needed and none is running (`EX_UNAVAILABLE`). */
export const unavailable = 69
/** A bug (`EX_SOFTWARE`). */
export const internal = 70
/** Temporarily unavailable, retry later: home locked, at capacity, or branch in use (`EX_TEMPFAIL`). */
export const busy = 75
/** 128 + SIGINT, as in shells. */
export const interrupted = 130
/** 128 + SIGPIPE, as in shells. */
export const closed = 141

/** The exit code of a command that followed a job mirrors the job. */
export const ofStatus: { readonly [Status in RunStatus]: number } = {
  completed,
  failed,
  cancelled: interrupted,
  interrupted,
  parked: interrupted,
  pending: interrupted,
  running: interrupted
}

/** Ends the process with a code other than 0 without a further message. */
export class Quit extends Schema.TaggedError<Quit>()("Quit", { code: Schema.Int }) {}
