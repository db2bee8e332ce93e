/**
 * Jobs as a table.
 */
import { DateTime } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { approvalSignal, resumeSignal } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Job, ListedJob } from "../../http/contract/Api.js"
import * as costs from "../../progress/cost.js"
import * as reason from "../../progress/reason.js"
import { isDue } from "../../progress/waiting.js"
import { configOf } from "../configOf.js"
import * as JobRef from "../target/JobRef.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Table from "../terminal/Table.js"
import * as format from "../terminal/format.js"
import { workStartedAt } from "./workStartedAt.js"

/** The kind of most jobs, which is not shown. */
export const tasksKind = "tasks"

/** The width at which whole ids fit. */
const wide = 100

const styles: { readonly [S in RunStatus]: StyledLine.Style } = {
  completed: "good",
  failed: "bad",
  cancelled: "warn",
  interrupted: "warn",
  running: "name",
  parked: "faint",
  pending: "faint"
}

export const status = ({ phase, status }: Pick<Job, "phase" | "status">): StyledLine.Piece =>
  phase === "stopping" ? StyledLine.raw("stopping", "warn") : StyledLine.raw(status, styles[status])

/** The positions of pending jobs in the queue, from 1. */
export type Positions = ReadonlyMap<JobId, number>

export const lines = (
  jobs: ReadonlyArray<ListedJob>,
  now: DateTime.DateTime,
  room: number,
  { positions, withCost = false }: { readonly positions?: Positions | undefined; readonly withCost?: boolean } = {}
): ReadonlyArray<StyledLine.Line> => {
  const column = (title: string, cell: (job: ListedJob) => StyledLine.Piece, more: Partial<Table.Column> = {}) => ({
    title,
    cells: jobs.map(cell),
    ...more
  })
  return Table.render(
    [
      ...(positions === undefined
        ? []
        : [column("NO", ({ id }) => StyledLine.raw(String(positions.get(id) ?? "")), { align: "right" })]),
      column("JOB", ({ id }) => StyledLine.raw(room < wide ? JobRef.short(id) : id, "strong")),
      column("STATUS", status),
      ...(jobs.every(({ kind }) => kind === tasksKind) ? [] : [column("KIND", ({ kind }) => StyledLine.piece(kind))]),
      ...(jobs.some(isWaiting)
        ? [column("WAITS FOR", (job) => StyledLine.piece(waitsFor(job, now)), { least: 9, rank: 6 })]
        : []),
      ...(jobs.some((job) => isWaiting(job) && job.priority !== 0)
        ? [
            column("PRIORITY", (job) => StyledLine.raw(isWaiting(job) ? String(job.priority) : ""), {
              align: "right",
              rank: 5
            })
          ]
        : []),
      ...(jobs.some(({ status }) => status === "failed")
        ? [column("REASON", (job) => StyledLine.piece(failure(job)), { least: 24, rank: 7 })]
        : []),
      column(jobs.some(hasReported) ? "PROGRESS" : "TASKS", progressOf, { align: "right" }),
      ...(withCost
        ? [
            column("COST", ({ cost }) => StyledLine.raw(cost === undefined ? "" : costs.short(cost)), {
              align: "right"
            }),
            column(
              "TOKENS",
              ({ cost }) => StyledLine.raw(cost === undefined ? "" : costs.tokensText(costs.tokens(cost))),
              {
                align: "right"
              }
            )
          ]
        : []),
      column("TARGET", (job) => StyledLine.piece(configOf(job).targetBranch ?? ""), { least: 8, rank: 4 }),
      column("REPOSITORY", (job) => StyledLine.piece(configOf(job).repoPath ?? ""), {
        least: 12,
        cut: "start",
        rank: 3
      }),
      column("AGE", ({ createdAt }) => StyledLine.raw(format.age(DateTime.distance(createdAt, now))), {
        align: "right"
      }),
      column("TOOK", (job) => StyledLine.raw(took(job, now)), { align: "right", rank: 2 }),
      column("LABELS", (job) => labels(job), { least: 10, rank: 1 })
    ],
    room
  )
}

/** Whether a job counts something else than tasks. */
const hasReported = ({ progress }: ListedJob): boolean => progress !== undefined && progress.pending === undefined

const progressOf = ({ progress }: ListedJob): StyledLine.Piece => {
  if (progress === undefined) return StyledLine.raw("")
  const { done, failed = 0, total } = progress
  return StyledLine.raw(`${done}/${total}`, failed > 0 ? "bad" : "plain")
}

/** How long it took, or has been running. */
const took = (job: ListedJob, now: DateTime.DateTime): string => {
  const end = job.endedAt ?? (job.status === "running" ? now : undefined)
  return end === undefined ? "" : format.clock(DateTime.distance(workStartedAt(job), end))
}

/** The condition that a pending or parked job waits for: `permit`, `2 h`, `key`, `signal approve`. */
const waitsFor = ({ parked, startAt, status, waitsFor }: ListedJob, now: DateTime.DateTime): string => {
  if (!isWaiting({ status })) return ""
  const time = parked?.until ?? startAt
  const left = waitsFor === "time" && time !== undefined ? [format.age(DateTime.distance(now, time))] : []
  const isSignal = !isDue(waitsFor) && parked?.signal !== undefined
  const signal =
    parked?.questions !== undefined ? ["answer"] : isSignal ? [ours[parked.signal] ?? `signal ${parked.signal}`] : []
  return left.length + signal.length === 0 ? (waitsFor ?? "") : [...signal, ...left].join(", ")
}

/** What Charlotte's own signals stand for. */
const ours: Readonly<Record<string, string>> = { [resumeSignal]: "resume", [approvalSignal]: "approval" }

/** Why it failed. */
const failure = ({ error, status }: ListedJob): string =>
  status === "failed" && error !== undefined ? reason.ofError(error.error ?? error.cause) : ""

const isWaiting = ({ status }: Pick<ListedJob, "status">): boolean => status === "pending" || status === "parked"

/** `team=web, task=42` */
export const labels = ({ labels }: Pick<Job, "labels">): StyledLine.Piece =>
  StyledLine.piece(
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(", ")
  )
