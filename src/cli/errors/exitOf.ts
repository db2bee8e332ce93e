/**
 * The exit code for an error, and a hint in terms of the command line if the message of the error does not say what to do.
 */
import { Predicate } from "effect"
import type { Problem } from "../../daemon/Problem.js"
import type { InvalidConfiguration } from "../../daemon/config/ConfigurationFile.js"
import type { HomeUnusable } from "../../daemon/home/Home.js"
import type { HomeBusy } from "../../daemon/home/LockOwner.js"
import type { AddressRefused } from "../../cluster/engine/Address.js"
import type * as domain from "../../domain/errors.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type * as git from "../../git/GitError.js"
import type * as http from "../../http/contract/errors.js"
import type { NoSuchAgent } from "../../tasks/agents/NoSuchAgent.js"
import type { InvalidPlan } from "../../yaml/Diagnostic.js"
import type { NotResponding } from "../daemon/ensureResponding.js"
import type { ModuleUnusable } from "../rehearse/Child.js"
import type { OutputClosed } from "../terminal/Output.js"
import { busy, closed, failed, internal, invalid, unavailable } from "./ExitCode.js"
import { isAboutCertificate, isRemote, remedy } from "./remoteErrors.js"

export type Exit = readonly [code: number, hint?: string | undefined]

/** The errors whose classes a module exports. */
type ErrorsOf<Module> = {
  [Name in keyof Module]: Module[Name] extends { readonly prototype: infer E extends { readonly _tag: string } }
    ? E
    : never
}[keyof Module]

type Known =
  | ErrorsOf<typeof domain>
  | ErrorsOf<typeof git>
  | ErrorsOf<typeof http>
  | AddressRefused
  | HomeBusy
  | HomeUnusable
  | InvalidConfiguration
  | InvalidPlan
  | ModuleUnusable
  | NoSuchAgent
  | NotResponding
  | OutputClosed
  | Problem

type ByTag = { readonly [E in Known as E["_tag"]]: E }

const isInvalid = (): Exit => [invalid]
const isBusy = (): Exit => [busy]

/** All other errors exit with `failed`, without a hint. */
const exits: { readonly [Tag in keyof ByTag]?: (error: ByTag[Tag]) => Exit } = {
  Problem: ({ exitCode = invalid }) => [exitCode],
  OutputClosed: ({ reason }) => [reason === undefined ? closed : failed],
  InternalError: () => [internal],
  StoreError: ({ reason }) => ofStore[reason],

  MaxJobsReached: () => [busy, "wait for a job to end or stop one; list them with: charlotte jobs --status running"],
  KindPaused: ({ kind }) => [busy, `let them begin again with: charlotte unpause ${kind}`],
  JobConflict: ({ jobId, status = "running" }) => [busy, status === "running" ? watch(jobId) : see(jobId)],
  QueueFull: () => [busy, "list them with: charlotte jobs --status pending"],
  IdempotencyKeyReused: isInvalid,
  InvalidJobConfig: isInvalid,
  InvalidPlan: isInvalid,
  NoSuchAgent: isInvalid,
  NoSuchKind: isInvalid,
  InvalidCron: isInvalid,

  JobNotFound: () => [invalid, "list jobs with: charlotte jobs"],
  JobEnded: ({ jobId }) => [invalid, seeResult(jobId)],
  NotResumable: ({ jobId, status }) => [invalid, instead(jobId)[status]],
  NotRemovable: ({ jobId, other = jobId, reason }) => {
    if (reason === "pinned") return [invalid, `remove it all the same with: charlotte remove ${jobId} --pinned`]
    if (reason === "active") return [invalid, `stop and remove it with: charlotte remove ${jobId} --stop`]
    return [invalid, see(other)]
  },
  NotReschedulable: ({ jobId }) => [invalid, see(jobId)],
  NotRetryable: ({ jobId, status }) => [invalid, insteadOfRetry(jobId)[status]],
  StopTimedOut: ({ jobId }) => [failed, `it is still stopping; ${see(jobId)}`],
  ApprovalRefused: ({ jobId, reason }) => [
    invalid,
    reason === "otherCommit" ? `see: charlotte diff ${jobId}` : see(jobId)
  ],
  AlreadyAnswered: ({ jobId }) => [invalid, `see its questions with: charlotte show ${jobId}`],
  NoOpenQuestion: ({ jobId }) => [invalid, `see its questions with: charlotte show ${jobId}`],
  InvalidSignal: isInvalid,
  TooManySignals: ({ jobId }) => [busy, `see what it waits for with: charlotte show ${jobId}`],
  LogNotFound: ({ jobId }) => [invalid, `list its units and tasks with: charlotte show ${jobId}`],
  StepNotFound: ({ jobId }) => [invalid, `list its steps with: charlotte show ${jobId}`],
  DiffUnavailable: ({ jobId, reason }) => [
    invalid,
    ["gone", "noRepository", "repository"].includes(reason) ? undefined : see(jobId)
  ],

  ScheduleNotFound: () => [invalid, "list them with: charlotte schedules list"],
  ScheduleNotLive: isBusy,
  SubscriberNotFound: () => [invalid, "list them with: charlotte subscribers list"],
  SubscriberInUse: isBusy,
  AlreadySubscribed: isBusy,
  NodeConflict: isInvalid,
  AddressRefused: isInvalid,
  AlreadyManaged: ({ machine, node }) => {
    if (node !== undefined) return [busy, "be another node with: charlotte daemon start --advertise HOST:PORT"]
    return [busy, machine === undefined ? "wait until it has exited" : "stop it there, or use another database"]
  },
  ShuttingDown: () => [busy, "try again when the daemon has restarted; see: charlotte daemon status"],

  HomeBusy: isBusy,
  HomeUnusable: isInvalid,
  InvalidConfiguration: isInvalid,
  ModuleUnusable: isInvalid,
  NotResponding: isBusy,
  PageUnavailable: isBusy,
  VersionMismatch: isBusy,
  NotReady: () => [failed, "see: charlotte doctor"],
  DaemonNotRunning: (error) => [
    unavailable,
    isRemote(error)
      ? "check the URL, or start the daemon there with: charlotte daemon start --listen HOST:PORT"
      : "start a daemon with: charlotte daemon start"
  ],
  ConnectionFailed: (error) =>
    isRemote(error)
      ? [isAboutCertificate(error) ? invalid : unavailable, remedy(error)]
      : [failed, "see: charlotte daemon status"],
  UnexpectedAnswer: (error) => [failed, isRemote(error) ? "check the URL" : "see: charlotte daemon status"],
  RequestRefused: ({ reason }) => {
    if (reason === "limit") return [busy]
    if (reason !== "token") return [failed]
    return [invalid, "name that of the daemon by --token-file FILE, CHARLOTTE_TOKEN or CHARLOTTE_TOKEN_FILE"]
  },
  InvalidQuery: isInvalid,
  InvalidRequest: isInvalid,

  NotARepository: isInvalid,
  BranchMissing: isInvalid,
  SymbolicBranch: isInvalid,
  IdentityMissing: isInvalid,
  OperationInProgress: isInvalid,
  GitMissing: isInvalid,
  GitTooOld: isInvalid,
  Locked: isBusy
}

const ofStore: { readonly [Reason in domain.StoreError["reason"]]: Exit } = {
  busy: [busy, "try again in a moment"],
  closed: [busy, "try again in a moment"],
  unreachable: [busy],
  full: [failed, "free disk space and try again"],
  replaced: [failed, "restart the daemon with: charlotte daemon restart"],
  readonly: [failed, "see: charlotte doctor"],
  corrupt: [failed, "see: charlotte doctor"],
  version: [failed, "see: charlotte doctor"],
  invalid: [invalid],
  other: [failed, "see: charlotte doctor"]
}

const see = (jobId: string) => `see: charlotte show ${jobId}`
const seeResult = (jobId: string) => `see its result with: charlotte show ${jobId}`
const watch = (jobId: string) => `watch it with: charlotte watch ${jobId}`
const retry = (jobId: string) => `continue in a new job with: charlotte retry ${jobId}`

type ByStatus = { readonly [S in RunStatus]?: string }

/** Only an interrupted job can be resumed; this is what to do with others. */
const instead = (jobId: string): Required<ByStatus> => ({
  pending: `it starts by itself; see what it waits for with: charlotte show ${jobId}`,
  running: watch(jobId),
  interrupted: "fix that and try again",
  parked: watch(jobId),
  completed: seeResult(jobId),
  failed: retry(jobId),
  cancelled: retry(jobId)
})

const insteadOfRetry = (jobId: string): ByStatus => ({
  pending: watch(jobId),
  running: watch(jobId),
  interrupted: `continue it with: charlotte resume ${jobId}`,
  parked: `continue it with: charlotte resume ${jobId}`
})

/** Every tag names one class, so the tag alone says which error this is. */
const isKnown = (error: unknown): error is Known =>
  Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag) && Object.hasOwn(exits, error._tag)

const ofTag = <Tag extends keyof ByTag>(tag: Tag, error: ByTag[Tag]): Exit => exits[tag]?.(error) ?? [failed]

/** The exit code and hint of any error. */
export const exitOf = (error: unknown): Exit => (isKnown(error) ? ofTag(error._tag, error) : [failed])
