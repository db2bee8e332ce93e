/**
 * Jobs as a table: a line each.
 */
import { DateTime, Option, Schema } from "effect"
import { JobConfig } from "../domain/JobConfig.js"
import type { RunStatus } from "../domain/RunStatus.js"
import type { Job, ListedJob } from "../http/Api.js"
import * as JobName from "./JobName.js"
import * as Line from "./Line.js"
import * as Table from "./Table.js"
import * as Words from "./Words.js"

/** Where all of an id fits. */
const wide = 100

const decodeConfig = Schema.decodeUnknownOption(JobConfig)

/** What it was asked to do, if it can be read. */
export const configOf = ({ config }: Pick<Job, "config">): Partial<JobConfig> =>
  Option.getOrElse(decodeConfig(config), () => ({}))

const styles: { readonly [S in RunStatus]: Line.Style } = {
  completed: "good",
  failed: "bad",
  cancelled: "warn",
  interrupted: "warn",
  running: "name",
  pending: "faint"
}

export const status = ({ phase, status }: Pick<Job, "phase" | "status">): Line.Piece =>
  phase === "stopping" ? Line.raw("stopping", "warn") : Line.raw(status, styles[status])

export const lines = (
  jobs: ReadonlyArray<ListedJob>,
  now: DateTime.DateTime,
  room: number
): ReadonlyArray<Line.Line> => {
  const column = (title: string, cell: (job: ListedJob) => Line.Piece, more: Partial<Table.Column> = {}) => ({
    title,
    cells: jobs.map(cell),
    ...more
  })
  return Table.render(
    [
      column("JOB", ({ id }) => Line.raw(room < wide ? JobName.short(id) : id, "strong")),
      column("STATUS", status),
      column("TASKS", tasks, { align: "right" }),
      column("TARGET", (job) => Line.piece(configOf(job).targetBranch ?? ""), { least: 8, rank: 4 }),
      column("REPOSITORY", (job) => Line.piece(configOf(job).repoPath ?? ""), { least: 12, cut: "start", rank: 3 }),
      column("AGE", ({ createdAt }) => Line.raw(Words.age(DateTime.distance(createdAt, now))), { align: "right" }),
      column("TOOK", (job) => Line.raw(took(job, now)), { align: "right", rank: 2 }),
      column("LABELS", (job) => labels(job), { least: 10, rank: 1 })
    ],
    room
  )
}

const tasks = ({ progress }: ListedJob): Line.Piece => {
  if (progress === undefined) return Line.raw("")
  const { completed, failed, pending, running, skipped } = progress
  const total = completed + failed + pending + running + skipped
  return Line.raw(`${completed + skipped}/${total}`, failed > 0 ? "bad" : "plain")
}

/** How long it has worked, or does already. */
const took = ({ createdAt, endedAt, status }: ListedJob, now: DateTime.DateTime): string => {
  const end = endedAt ?? (status === "running" ? now : undefined)
  return end === undefined ? "" : Words.clock(DateTime.distance(createdAt, end))
}

/** `team=web, task=42` */
export const labels = ({ labels }: Pick<Job, "labels">): Line.Piece =>
  Line.piece(
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(", ")
  )
