/**
 * The exit code of a failed command.
 */
import { Predicate } from "effect"
import { Problem } from "../../daemon/Problem.js"
import { StoreError } from "../../domain/errors.js"
import { ConnectionFailed, RequestRefused } from "../../http/contract/errors.js"
import { OutputClosed } from "../terminal/Output.js"
import { isAboutCertificate, isRemote } from "./remoteErrors.js"
import { busy, closed, failed, internal, invalid, unavailable } from "./ExitCode.js"

/** By the tag of the error; for all others it is `failed`. */
const byTag: Readonly<Record<string, number>> = {
  InvalidPlan: invalid,
  InvalidJobConfig: invalid,
  InvalidConfiguration: invalid,
  HomeUnusable: invalid,
  NoSuchAgent: invalid,
  ModuleUnusable: invalid,
  JobNotFound: invalid,
  NoSuchKind: invalid,
  LogNotFound: invalid,
  StepNotFound: invalid,
  DiffUnavailable: invalid,
  ApprovalRefused: invalid,
  AlreadyAnswered: invalid,
  NoOpenQuestion: invalid,
  InvalidCron: invalid,
  ScheduleNotFound: invalid,
  SubscriberNotFound: invalid,
  NotReschedulable: invalid,
  NotResumable: invalid,
  NotRetryable: invalid,
  NotARepository: invalid,
  BranchMissing: invalid,
  SymbolicBranch: invalid,
  IdentityMissing: invalid,
  OperationInProgress: invalid,
  GitMissing: invalid,
  GitTooOld: invalid,
  IdempotencyKeyReused: invalid,
  InvalidQuery: invalid,
  InvalidSignal: invalid,
  JobEnded: invalid,
  InvalidRequest: invalid,
  NodeConflict: invalid,
  AddressRefused: invalid,

  KindPaused: busy,
  MaxJobsReached: busy,
  QueueFull: busy,
  TooManySignals: busy,
  ScheduleNotLive: busy,
  SubscriberInUse: busy,
  AlreadySubscribed: busy,
  JobConflict: busy,
  AlreadyManaged: busy,
  HomeBusy: busy,
  NotResponding: busy,
  ShuttingDown: busy,
  Locked: busy,
  VersionMismatch: busy,
  PageUnavailable: busy,

  DaemonNotRunning: unavailable,

  InternalError: internal,

  OutputClosed: closed
}

export const ofError = (error: unknown): number => {
  if (error instanceof Problem) return error.exitCode ?? invalid
  if (error instanceof StoreError && ["busy", "unreachable", "closed"].includes(error.reason)) return busy
  if (error instanceof StoreError && error.reason === "invalid") return invalid
  if (error instanceof OutputClosed && error.reason !== undefined) return failed
  if (error instanceof RequestRefused && error.reason === "limit") return busy
  if (error instanceof RequestRefused && error.reason === "token") return invalid
  if (error instanceof ConnectionFailed && isRemote(error)) return isAboutCertificate(error) ? invalid : unavailable
  return (Predicate.hasProperty(error, "_tag") ? byTag[String(error._tag)] : undefined) ?? failed
}
