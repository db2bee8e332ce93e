/**
 * What a notice says about a job, and whether an event is worth one: only if it is recent, and still true.
 */
import { DateTime, Duration, Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { Question } from "../../domain/Question.js"
import { approvalSignal, type Run } from "../../domain/Run.js"
import { now } from "../../internal/now.js"
import { line } from "../../internal/plainText.js"
import { jobName } from "../../progress/jobName.js"
import * as needsPerson from "../../progress/needsPerson.js"
import * as payload from "../../progress/payload.js"
import * as remedy from "../../progress/remedy.js"
import type { Service as RunStore } from "../../store/port/RunStoreService.js"
import type { Occasion } from "../config/NotifySettings.js"

/** The JSON document that the command gets. */
export interface Notice {
  /** The same whenever this notice is sent again. */
  readonly id: string
  readonly at: string
  /** The kind of the job. */
  readonly kind: string
  readonly job: string
  readonly status: Occasion | "test"
  /** The name of the job. */
  readonly title: string
  /** The pull request, or the page of the job if it is served. */
  readonly url?: string | undefined
  /** The command that helps. */
  readonly command: string
  readonly reason?: string | undefined
}

/** The types of events after which there may be a notice. */
export const eventTypes = {
  "needs-answer": "unit.asked",
  "needs-approval": "job.parked",
  parked: "job.parked",
  failed: "job.failed",
  completed: "job.completed"
} as const satisfies { readonly [O in Occasion]: string }

/** An older event is no news. */
const maxAge = Duration.hours(24)

const maxReason = 500

/** How many units are read for the name of a job: one more than it shows. */
const namingUnits = 4

/** Whether the job waits for answers only; each question has had a notice. */
const isForAnswersOnly = ({ parked }: Run, questions: ReadonlyArray<Question>): boolean => {
  if (parked?.questions === undefined) return false
  // With a time, others may wait only for a reset.
  if (parked.until !== undefined) return true
  const others = questions.reduce(
    (text, question) => text.replace(needsPerson.asks({ questions: [question] }) ?? "", ""),
    parked.reason
  )
  return /^[; ]*$/.test(others)
}

/** The questions that the event has asked, and that are still open. */
const askedBy = ({ payload: asked, unit }: JobEvent, questions: ReadonlyArray<Question>): ReadonlyArray<Question> =>
  questions.filter(
    (question) =>
      question.unit === unit &&
      question.task === payload.number(asked, "task") &&
      question.question === payload.string(asked, "question")
  )

/** What is true of the job now, of what the event has said. */
const occasionOf = (event: JobEvent, run: Run, questions: ReadonlyArray<Question>): Occasion | undefined => {
  if (event.type === eventTypes["needs-answer"])
    return askedBy(event, questions).length > 0 ? "needs-answer" : undefined
  if (event.type === eventTypes.failed)
    return run.status === "failed" && !needsPerson.isSettled(run) ? "failed" : undefined
  if (event.type === eventTypes.completed) return run.status === "completed" ? "completed" : undefined
  if (run.status !== "parked" || needsPerson.isWaiting(run)) return undefined
  if (run.parked?.signal === approvalSignal) return "needs-approval"
  return isForAnswersOnly(run, questions) ? undefined : "parked"
}

/** Whether a job has only tried again at the time for which it was parked, and has parked for the same reason. */
const isParkedAgain = (event: JobEvent, lifecycle: ReadonlyArray<JobEvent>): boolean => {
  const [parked, resumed] = lifecycle.filter(({ seq }) => seq < event.seq).slice(-2)
  return (
    parked?.type === "job.parked" &&
    payload.string(parked.payload, "reason") === payload.string(event.payload, "reason") &&
    resumed?.type === "job.resumed" &&
    payload.string(resumed.payload, "by") === "time"
  )
}

export interface Options {
  readonly on: ReadonlyArray<Occasion>
  readonly hasReason: boolean
  /** Where the page is served. */
  readonly origin: Effect.Effect<string | undefined>
  /** Redacts secrets. */
  readonly hide: (text: string) => string
}

export const of = (
  store: Pick<RunStore, "get" | "lifecycle" | "questions" | "work">,
  event: JobEvent,
  { hasReason, hide, on, origin }: Options
): Effect.Effect<Notice | undefined, StoreError> =>
  Effect.gen(function* () {
    if (DateTime.lessThan(event.at, DateTime.subtractDuration(yield* now, maxAge))) return undefined
    const run = Option.getOrUndefined(yield* store.get(event.jobId))
    if (run === undefined) return undefined
    const questions = (yield* store.questions.open([run.id])).get(run.id) ?? []
    const status = occasionOf(event, run, questions)
    if (status === undefined || !on.includes(status)) return undefined
    if (status === "parked" && isParkedAgain(event, yield* store.lifecycle(run.id))) return undefined

    const unitNames = (yield* store.work.unitNames([run.id], namingUnits)).get(run.id)
    const asked = askedBy(event, questions)
    const others = questions.filter((question) => !asked.includes(question))
    const isQuestion = status === "needs-answer"
    const served = yield* origin
    const page = served === undefined ? undefined : `${served}/jobs/${run.id}`
    const reason =
      hasReason && status !== "completed" ? hide(remedy.reasonFor({ ...run, questions: isQuestion ? asked : [] })) : ""
    return {
      id: `${run.id}.${event.seq}`,
      at: DateTime.formatIso(event.at),
      kind: run.kind,
      job: run.id,
      status,
      title: line(hide(jobName({ ...run, unitNames }))),
      url: payload.string(payload.json(run.result, "pullRequest"), "url") ?? page,
      command: remedy.commandFor({ ...run, questions: isQuestion ? [...asked, ...others] : [] }),
      ...(reason !== "" && { reason: reason.length > maxReason ? `${reason.slice(0, maxReason - 1)}…` : reason })
    }
  })
