/**
 * The summary for a terminal. Commands are on lines of their own, so that they can be copied.
 */
import { DateTime } from "effect"
import type { ListedJob } from "../../http/contract/Api.js"
import * as costs from "../../progress/cost.js"
import { jobName } from "../../progress/jobName.js"
import * as needsPerson from "../../progress/needsPerson.js"
import * as payload from "../../progress/payload.js"
import * as why from "../../progress/reason.js"
import * as remedy from "../../progress/remedy.js"
import * as spent from "../../progress/spent.js"
import * as waitingText from "../list/waitingText.js"
import * as SummaryText from "../run/SummaryText.js"
import * as format from "../terminal/format.js"
import * as StyledLine from "../terminal/StyledLine.js"
import type { Failed, Morning } from "./Morning.js"

export interface View {
  readonly now: DateTime.Utc
  readonly since: DateTime.DateTime
  readonly zone: DateTime.TimeZone
  readonly columns: number
}

export const lines = (morning: Morning, view: View): ReadonlyArray<StyledLine.Line> => {
  const { needs } = morning
  const shown = needs.slice(0, needsPerson.most)
  const more = needs.length - shown.length
  const recent = rows(morning, view)
  return [
    [StyledLine.raw(needs.length === 0 ? "Nothing needs you" : "Needs you", "strong")],
    ...shown.flatMap((job) => need(job, morning, view)),
    ...(more > 0
      ? [StyledLine.empty, [StyledLine.raw(`  and ${format.count(more, "more job")}: charlotte jobs`, "faint")]]
      : []),
    StyledLine.empty,
    [StyledLine.raw(`Since ${format.dateTime(view.since, view.zone).slice(0, 16)}`, "strong")],
    ...(recent.length === 0 ? [[StyledLine.raw("  nothing has ended, and nothing runs or waits", "faint")]] : recent),
    ...spentLines(morning, view)
  ]
}

/** What jobs that have ended have cost, day by day, and then what the others have cost so far. */
const spentLines = ({ spending }: Morning, { zone }: View): ReadonlyArray<StyledLine.Line> => {
  const unfinished = spent.of(spending.unfinished)
  const line = (label: string, { cost, jobs }: spent.Spent, more = ""): StyledLine.Line => [
    StyledLine.raw(`  ${label}  `),
    StyledLine.raw(`${costs.long(cost)}, ${format.count(jobs, "job")}${more}`, "faint")
  ]
  const lines = [
    ...spent.byDay(spending.ended, (at) => format.day(at, zone)).map(({ day, ...of }) => line(day, of)),
    ...(unfinished === undefined ? [] : [line("so far    ", unfinished, ", not ended yet")])
  ]
  const title = `Cost${spending.isPartial ? " of the latest jobs" : ""}: ${costs.basis}`
  return lines.length === 0 ? [] : [StyledLine.empty, [StyledLine.raw(title, "strong")], ...lines]
}

/** What is known about the gates of a job, under it. */
const gatesOf = ({ id }: ListedJob, gates: Morning["gates"], columns: number): ReadonlyArray<StyledLine.Line> =>
  SummaryText.gates({ gates: gates.get(id) ?? [] })
    .flatMap((line) => StyledLine.wrap(line, columns - 5, 2))
    .map((line) => [StyledLine.raw("    "), ...line])

const need = (
  job: ListedJob,
  { gates, landedAs, unlanded }: Morning,
  { columns, now }: View
): ReadonlyArray<StyledLine.Line> => {
  const { createdAt, endedAt, id, status } = job
  const by = landedAs.get(id)
  const wrap = (line: StyledLine.Line) =>
    StyledLine.wrap(line, columns - 5, 0).map((line): StyledLine.Line => [StyledLine.raw("    "), ...line])
  const reason = remedy.reasonFor(job)
  const age = format.age(DateTime.distance(endedAt ?? createdAt, now))
  return [
    StyledLine.empty,
    StyledLine.fit(
      [
        StyledLine.raw("  "),
        status === "failed" ? StyledLine.raw("✗ ", "bad") : StyledLine.raw("! ", "warn"),
        StyledLine.piece(jobName(job), "name"),
        StyledLine.raw(`  ${status}${endedAt === undefined ? ", begun" : ""} ${age} ago`, "faint")
      ],
      columns
    ),
    ...gatesOf(job, gates, columns),
    ...(reason === "" ? [] : wrap([StyledLine.piece(reason)])),
    ...(by === undefined ? [] : wrap([StyledLine.raw(`what is done has landed, by job ${by}`)])),
    command(remedy.commandFor(job)),
    ...landCommand(job, unlanded)
  ]
}

const command = (text: string): StyledLine.Line => [StyledLine.raw("    "), StyledLine.piece(text, "strong")]

/** Of a job that has failed, for its units that are done. */
const landCommand = ({ id }: ListedJob, unlanded: Morning["unlanded"]): ReadonlyArray<StyledLine.Line> =>
  unlanded.has(id) ? [command(`charlotte land ${id}`)] : []

type Row = readonly [mark: StyledLine.Piece, what: string, job: ListedJob, about: string]

const rows = ({ completed, failed, gates, landedAs, pending, running, unlanded, waiting }: Morning, view: View) => {
  const time = ({ endedAt }: ListedJob): string =>
    endedAt === undefined ? "" : format.timeOfDay(endedAt, view.zone).slice(0, 5)
  const all: ReadonlyArray<Row> = [
    ...completed.map((job): Row => {
      const target = landedOn(job)
      const url = payload.string(payload.json(job.result, "pullRequest"), "url")
      const [what, where] =
        url !== undefined
          ? ["proposed", ` at ${url}`]
          : target === undefined
            ? ["done", unlanded.has(job.id) ? ", has not landed" : ""]
            : ["landed", ` on ${target}`]
      return [StyledLine.raw("✓ ", "good"), what, job, `${time(job)}${where}`]
    }),
    ...failed.map(({ job, retry }): Row => {
      const mark = retry?.status === "completed" ? StyledLine.raw("· ", "faint") : StyledLine.raw("✗ ", "bad")
      const by = landedAs.get(job.id)
      const landed = by === undefined ? payload.list(job.error?.error, "landed").join(", ") : `by ${by}`
      return [mark, "failed", job, `${time(job)}${landed === "" ? "" : `, landed ${landed}`}${retried({ job, retry })}`]
    }),
    ...waiting.map((job): Row => [
      StyledLine.raw("· ", "faint"),
      "waits",
      job,
      `${waitingText.condition(job, view)}: ${why.text(job.parked?.reason ?? "")}`
    ]),
    ...running.map((job): Row => [StyledLine.raw("▸ ", "name"), "running", job, done(job)]),
    ...pending.map((job): Row => [StyledLine.raw("· ", "faint"), "queued", job, waitingText.condition(job, view)])
  ]
  return all.flatMap(([mark, what, job, about]) => [
    StyledLine.fit(
      [
        StyledLine.raw("  "),
        mark,
        StyledLine.raw(what.padEnd(9)),
        StyledLine.piece(jobName(job), "name"),
        StyledLine.raw("  "),
        StyledLine.piece(job.cost === undefined ? about : `${about}, ${costs.short(job.cost)}`, "faint")
      ],
      view.columns
    ),
    ...(what === "failed" ? [] : gatesOf(job, gates, view.columns)),
    ...(what === "failed" ? [] : landCommand(job, unlanded))
  ])
}

const landedOn = ({ result }: ListedJob): string | undefined =>
  payload.string(result, "landed") === undefined ? undefined : payload.string(result, "target")

const retried = ({ retry }: Failed): string => {
  if (retry === undefined) return ""
  return retry.status === "completed" ? `, done by its retry ${retry.id}` : `, retried by ${retry.id}`
}

const done = ({ progress }: ListedJob): string => {
  if (progress === undefined) return ""
  const { done, pending, total } = progress
  return `${done} of ${pending === undefined ? total : format.count(total, "task")}`
}
