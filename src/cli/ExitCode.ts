/**
 * What the process says at its end: the codes of `sysexits.h` and of shells where they have one for it.
 */
import { Predicate, Schema } from "effect"
import { StoreError } from "../domain/errors.js"
import type { RunStatus } from "../domain/RunStatus.js"
import { RequestRefused } from "../http/errors.js"

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

/** Of an error with that tag; of every other one it is `failed`. */
const byTag: Readonly<Record<string, number>> = {
  UsageError: invalid,
  InvalidPlan: invalid,
  InvalidJobConfig: invalid,
  InvalidConfiguration: invalid,
  HomeUnusable: invalid,
  NoSuchAgent: invalid,
  JobNotFound: invalid,
  NoJobName: invalid,
  NoSuchJob: invalid,
  AmbiguousJob: invalid,
  LogNotFound: invalid,
  NotResumable: invalid,
  NotARepository: invalid,
  BranchMissing: invalid,
  SymbolicBranch: invalid,
  IdentityMissing: invalid,
  OperationInProgress: invalid,
  GitMissing: invalid,
  GitTooOld: invalid,
  VersionMismatch: invalid,
  IdempotencyKeyReused: invalid,
  InvalidQuery: invalid,
  InvalidRequest: invalid,

  MaxJobsReached: busy,
  JobConflict: busy,
  AlreadyManaged: busy,
  HomeBusy: busy,
  ShuttingDown: busy,
  Locked: busy,

  InternalError: internal,

  OutputClosed: closed
}

export const ofError = (error: unknown): number => {
  if (error instanceof StoreError && (error.reason === "busy" || error.reason === "closed")) return busy
  if (error instanceof RequestRefused && error.reason === "limit") return busy
  return (Predicate.hasProperty(error, "_tag") ? byTag[String(error._tag)] : undefined) ?? failed
}

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
