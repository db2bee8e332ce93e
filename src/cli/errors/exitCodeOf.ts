/**
 * With which code a command ends that has failed.
 */
import { Predicate } from "effect"
import { StoreError } from "../../domain/errors.js"
import { RequestRefused } from "../../http/contract/errors.js"
import { busy, closed, failed, internal, invalid } from "./ExitCode.js"

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
  IdempotencyKeyReused: invalid,
  InvalidQuery: invalid,
  InvalidRequest: invalid,

  MaxJobsReached: busy,
  JobConflict: busy,
  AlreadyManaged: busy,
  HomeBusy: busy,
  ShuttingDown: busy,
  Locked: busy,
  VersionMismatch: busy,

  InternalError: internal,

  OutputClosed: closed
}

export const ofError = (error: unknown): number => {
  if (error instanceof StoreError && (error.reason === "busy" || error.reason === "closed")) return busy
  if (error instanceof StoreError && error.reason === "invalid") return invalid
  if (error instanceof RequestRefused && error.reason === "limit") return busy
  return (Predicate.hasProperty(error, "_tag") ? byTag[String(error._tag)] : undefined) ?? failed
}
