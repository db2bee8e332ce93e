/**
 * What is happening in a job, and what needs a person, in a few sentences: the first thing to read.
 */
import type { Job } from "../api/models.js"
import * as format from "../../progress/format.js"
import { isUnlanded } from "../../progress/isUnlanded.js"
import * as JobModel from "../../progress/JobModel.js"
import type { Task, Unit } from "../../progress/JobModel.js"
import * as payload from "../../progress/payload.js"
import { canRetry } from "../../progress/remedy.js"
import * as why from "../../progress/reason.js"
import * as taskNotes from "../../progress/taskNotes.js"
import {
  approvalSignal,
  condition,
  isDue,
  parkReason,
  refusal,
  resumeSignal,
  untilTime
} from "../../progress/waiting.js"

export interface Message {
  readonly tone: "run" | "good" | "bad" | "warn" | "idle"
  readonly text: string
  /** The reason, as it was reported. */
  readonly reason?: string | undefined
  /** What the agent said last. */
  readonly said?: string | undefined
  /** Where to look. */
  readonly unit?: string
  readonly task?: number
  /** A page to go on with. */
  readonly link?: string
  /** What a person can do about it. */
  readonly action?: "answer" | "approve" | "resume" | "signal" | "retry" | "land"
}

/** Further failures, and further notes, are only counted. */
const mostFailures = 3

const name = ({ number, title, unit }: Task): string => `${unit} ${number}${title === "" ? "" : ` “${title}”`}`

const failureOf = (unit: Unit): Message => {
  const task = [...unit.tasks.values()].find(({ state }) => state === "failed")
  if (task === undefined) return { tone: "bad", text: `Unit ${unit.id} failed`, reason: unit.reason, unit: unit.id }
  const attempts = new Set(task.attempts.map(({ number }) => number)).size
  const after = attempts > 1 ? ` after ${attempts} attempts` : ""
  return {
    tone: "bad",
    text: `${name(task)} failed${after}`,
    reason: task.reason,
    said: JobModel.said(task.attempts.at(-1)),
    unit: unit.id,
    task: task.number
  }
}

const failures = (model: JobModel.JobModel): ReadonlyArray<Message> => {
  const failed = [...model.units.values()].filter(({ state }) => state === "failed")
  const rest = failed.length - mostFailures
  return [
    ...failed.slice(0, mostFailures).map(failureOf),
    ...(rest > 0 ? [{ tone: "bad", text: `${format.count(rest, "more unit")} failed` } as const] : [])
  ]
}

const notes = (model: JobModel.JobModel): ReadonlyArray<Message> => {
  const all = JobModel.tasks(model).flatMap((task) =>
    task.notes.filter(({ tag }) => tag === undefined).map((note) => ({ task, note }))
  )
  const rest = all.length - mostFailures
  return [
    ...all.slice(0, mostFailures).map(({ note, task }): Message => ({
      tone: "warn",
      text: `${task.unit} ${task.number}`,
      reason: note.text,
      unit: task.unit,
      task: task.number
    })),
    ...(rest > 0 ? [{ tone: "warn", text: format.count(rest, "more note") } as const] : [])
  ]
}

/** What "done" means depends on what the gates prove. */
const gates = (model: JobModel.JobModel): ReadonlyArray<Message> =>
  taskNotes
    .ofJob(JobModel.tasks(model))
    .map(({ task, text, unit }): Message =>
      unit === undefined || task === undefined
        ? { tone: "warn", text }
        : { tone: "warn", text: `${unit} ${task}`, reason: text, unit, task }
    )

/** Tasks in the pause before their next attempt, and why the last one ended. */
const pausing = (model: JobModel.JobModel, now: number): ReadonlyArray<Message> =>
  [...model.units.values()].flatMap(({ id, tasks }) =>
    [...tasks.values()].flatMap((task) => {
      const pause = task.pauses.at(-1)
      const { againAt = 0 } = task
      return pause === undefined || pause.to !== undefined
        ? []
        : [
            {
              tone: "warn" as const,
              text: `${name(task)} is tried again ${againAt > now ? format.ahead(againAt - now) : "soon"}`,
              reason: task.reason,
              unit: id,
              task: task.number
            }
          ]
    })
  )

const errorText = ({ error }: Job): string | undefined => error && (why.ofError(error.error) || why.text(error.cause))

const questions = (model: JobModel.JobModel): ReadonlyArray<Message> =>
  [...model.units.values()].flatMap(({ id, question, state }) =>
    question === undefined || state !== "needs-answer"
      ? []
      : [
          {
            tone: "warn" as const,
            text: `${id} needs an answer`,
            reason: question,
            unit: id,
            action: "answer" as const
          }
        ]
  )

/** The key of a branch names its repository by an id, which says nothing to people. */
const keyText = ({ key, origin }: NonNullable<Job["keys"]>[number]): string =>
  origin === "check" ? key.replace(/ of repository ([0-9a-f]{32}|\d+:\d+)$/, "") : key

/** `21:05, in 90 min` */
const timeAhead = (at: number, now: number): string => `${format.clockTime(at, now)}, ${format.ahead(at - now)}`

const waitingMessage = (job: Job, now: number): Message => {
  const { group, id, keys, parked, startAt, status, waitsFor } = job
  const refused = refusal(job, { now, time: (at) => format.clockTime(at, now) })
  if (refused !== undefined)
    return { tone: "warn", text: `The job ${refused.text}`, reason: refused.reasons.join("; ") }
  const holder = waitsFor === "key" ? keys?.find((key) => key.holder !== id) : undefined
  if (holder !== undefined) return { tone: "idle", text: `Queued behind job ${holder.holder}`, reason: keyText(holder) }
  const time = (at: number): string => timeAhead(at, now)
  const waits = condition({ waitsFor, group, startAt, ...parked }, { now, time })
  if (status === "pending") return { tone: "idle", text: `Queued: waits ${waits}` }
  const reason = parked && parkReason(parked)
  if (isDue(waitsFor)) return { tone: "idle", text: `Due, and waits ${waits}`, reason }
  if (parked?.signal === approvalSignal) return { tone: "warn", text: "Waits for approval", reason, action: "approve" }
  if (parked?.children !== undefined) return { tone: "idle", text: `Parked ${waits}` }
  // A workflow continues when it is decided; to resume it decides nothing.
  if (parked?.decisions !== undefined) return { tone: "idle", text: `Parked ${waits}`, reason }
  const isSignal = parked?.signal !== undefined && parked.signal !== resumeSignal
  // Its questions are shown by themselves.
  if (parked?.questions !== undefined && parked.until === undefined) return { tone: "idle", text: `Parked ${waits}` }
  return { tone: "warn", text: `Parked ${waits}`, reason, action: isSignal ? "signal" : "resume" }
}

/** How many tasks or units are named. */
const mostNamed = 3

/** Units that wait for the same: until when, as far as that is known, and why. */
const waits = (reason: string, units: ReadonlyArray<Unit>, now: number): Message => {
  const { tentative, until } = units[0]?.waitsFor ?? {}
  const end = until === undefined || until <= now ? "" : ` ${untilTime(timeAhead(until, now), tentative)}`
  const names = units.map(({ id }) => id)
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""
  const verb = units.length === 1 ? "waits" : "wait"
  return { tone: "warn", text: `${names.slice(0, mostNamed).join(", ")}${more} ${verb}${end}`, reason }
}

const atWork = (model: JobModel.JobModel, now: number): ReadonlyArray<Message> => {
  const tasks: Array<Task> = []
  const slow: Array<Message> = []
  const waiting = new Map<string, Array<Unit>>()
  const verifying: Array<string> = []
  for (const unit of model.units.values()) {
    if (unit.waiting !== undefined) waiting.set(unit.waiting, [...(waiting.get(unit.waiting) ?? []), unit])
    if (unit.spans.at(-1)?.kind === "verifying" && unit.spans.at(-1)?.to === undefined) verifying.push(unit.id)
    for (const task of unit.tasks.values()) {
      const attempt = task.attempts.at(-1)
      if (attempt === undefined || attempt.to !== undefined) continue
      tasks.push(task)
      const span = attempt.spans.at(-1)
      if (span?.isSlow !== true || span.to !== undefined) continue
      slow.push({
        tone: "warn",
        text: `${name(task)} is slow and may soon be stopped`,
        unit: unit.id,
        task: task.number
      })
    }
  }
  const named = tasks.slice(0, mostNamed).map((task) => {
    const attempt = task.attempts.at(-1)
    const doing = attempt?.spans.at(-1)?.kind === "gate" ? ", at its gate" : ""
    return `${name(task)}${(attempt?.number ?? 1) > 1 ? ` (attempt ${attempt?.number})` : ""}${doing}`
  })
  const more = tasks.length > mostNamed ? ` and ${tasks.length - mostNamed} more` : ""
  const working: ReadonlyArray<Message> =
    tasks.length === 0
      ? []
      : [{ tone: "run", text: `${format.count(tasks.length, "task")} at work: ${named.join("; ")}${more}` }]
  return [
    ...[...waiting].map(([reason, units]) => waits(reason, units, now)),
    ...slow.slice(0, mostFailures),
    ...working,
    ...(verifying.length === 0
      ? []
      : [{ tone: "run", text: `Verifying the merged result of ${verifying.join(", ")}` } as const])
  ]
}

const running = (model: JobModel.JobModel, now: number): ReadonlyArray<Message> => {
  const waiting: ReadonlyArray<Message> =
    model.waiting === undefined ? [] : [{ tone: "warn", text: "Waiting for a person", reason: model.waiting }]
  const work = atWork(model, now)
  const landing: ReadonlyArray<Message> =
    model.landing !== undefined && model.landed === undefined && work.length === 0
      ? [{ tone: "run", text: `Landing the result on ${model.landing}` }]
      : []
  const all = [
    ...questions(model),
    ...failures(model),
    ...waiting,
    ...pausing(model, now).slice(0, mostFailures),
    ...work,
    ...landing
  ]
  return all.length === 0 ? [{ tone: "run", text: model.units.size === 0 ? "At work" : "Preparing" }] : all
}

/** What has landed of a job that failed, or why nothing could. */
const part = ({ error }: Job): ReadonlyArray<Message> => {
  const target = payload.string(error?.error, "target")
  const landed = payload.list(error?.error, "landed").join(", ")
  if (landed !== "") return [{ tone: "good", text: `Landed on ${target}: ${landed}` }]
  const reason = payload.string(payload.json(error?.error, "notLanded"), "reason")
  return reason === undefined
    ? []
    : [{ tone: "bad", text: `What is done could not land on ${target}`, reason: why.text(reason) }]
}

/** Where the work is while it has not landed. */
const unlanded = (job: Job): ReadonlyArray<Message> =>
  isUnlanded(job)
    ? [
        {
          tone: "idle",
          text: `What is done is on charlotte/${job.id}/result, and has not landed`,
          reason: `charlotte land ${job.id}`,
          action: "land"
        }
      ]
    : []

const proposed = ({ result }: Job): ReadonlyArray<Message> => {
  const found = payload.json(result, "pullRequest")
  if (found === undefined) return []
  const url = payload.string(found, "url")
  const isOpen = payload.json(found, "isOpen") === true
  return [
    {
      tone: isOpen ? "good" : "warn",
      text: isOpen ? "Proposed as a pull request" : "Pushed: open a pull request",
      reason: [payload.string(found, "problem"), url].filter(Boolean).join("; "),
      // An orchestrator of an application may put anything there.
      ...(url?.startsWith("https://") === true && { link: url })
    }
  ]
}

const ended = (job: Job, model: JobModel.JobModel): ReadonlyArray<Message> => {
  const action = canRetry(job) ? ({ action: "retry" } as const) : {}
  switch (job.status) {
    case "completed": {
      // A result that is kept has a target, too.
      const isLanded = payload.string(job.result, "landed") !== undefined
      const landed = model.landed ?? (isLanded ? payload.string(job.result, "target") : undefined)
      const done = model.units.size === 0 ? "Completed" : "All work is done"
      // Notes come first: a job that is done may have been meddled with.
      const end = { tone: "good", text: landed === undefined ? done : `${done}, and landed on ${landed}` } as const
      return [...notes(model), end, ...proposed(job), ...unlanded(job)]
    }
    case "cancelled":
      return [{ tone: "idle", text: "Cancelled", reason: errorText(job), ...action }, ...unlanded(job)]
    default: {
      const units = failures(model)
      const own: ReadonlyArray<Message> =
        units.length > 0 ? units : [{ tone: "bad", text: "Failed", reason: errorText(job) }]
      return [
        ...own.map((message, at) => (at === 0 ? { ...message, ...action } : message)),
        ...part(job),
        ...unlanded(job),
        ...notes(model)
      ]
    }
  }
}

export const attention = (job: Job, model: JobModel.JobModel, now: number): ReadonlyArray<Message> => [
  ...gates(model),
  ...work(job, model, now)
]

const work = (job: Job, model: JobModel.JobModel, now: number): ReadonlyArray<Message> => {
  switch (job.status) {
    case "running":
      return job.phase === "stopping"
        ? [{ tone: "warn", text: "Stopping: waiting for its processes to exit" }]
        : running(model, now)
    case "pending":
      return [...questions(model), waitingMessage(job, now)]
    case "parked":
      return [...questions(model), ...failures(model), waitingMessage(job, now)]
    case "interrupted":
      return [...questions(model), { tone: "warn", text: "Interrupted, and not continued yet", action: "resume" }]
    default:
      return ended(job, model)
  }
}
