/**
 * Which jobs need a person, most urgent first, and which only wait. A job that is parked until a time needs no person, nor does a failed
 * one that another job retries, or whose parent handles the failure.
 */
import type { RunStatus } from "../domain/RunStatus.js"
import { isDue } from "./waiting.js"

/** Times are milliseconds. */
export interface Listed {
  readonly id: string
  readonly status: RunStatus
  /** The job that retries it. */
  readonly retriedAs?: string | undefined
  /** Whether its failure is left to the job that has started it. */
  readonly handled?: boolean | undefined
  readonly waitsFor?: string | undefined
  /** The open questions of its agents. */
  readonly questions?: ReadonlyArray<{ readonly unit: string; readonly question: string }> | undefined
  readonly parked?:
    | {
        readonly signal?: string | undefined
        readonly until?: unknown
        readonly children?: number | undefined
        readonly decisions?: number | undefined
      }
    | undefined
}

/** How many jobs are shown above the list. */
export const most = 12

/**
 * Whether a job is parked, and continues by itself: at a time, when a child ends, when a program decides what its workflow waits for, or as
 * soon as a permit is free.
 */
export const isWaiting = ({ parked: { children, decisions, signal, until } = {}, status, waitsFor }: Listed): boolean =>
  status === "parked" &&
  (isDue(waitsFor) ||
    children !== undefined ||
    decisions !== undefined ||
    (signal === undefined && until !== undefined))

/** What the agents of a job ask, in one line; undefined if they ask nothing. */
export const asks = ({ questions = [] }: Pick<Listed, "questions">): string | undefined =>
  questions.length === 0 ? undefined : questions.map(({ question, unit }) => `${unit} asks: ${question}`).join("; ")

/** The command that answers the first question of a job. */
export const answerCommand = ({ id, questions = [] }: Pick<Listed, "id" | "questions">): string | undefined => {
  const [first, ...others] = questions
  return first === undefined ? undefined : `charlotte answer ${id} ${others.length === 0 ? "" : `${first.unit} `}"…"`
}

/** Whether another job has taken over what a failed job was to do, or its failure. */
export const isSettled = ({ handled, retriedAs }: Pick<Listed, "handled" | "retriedAs">): boolean =>
  retriedAs !== undefined || handled === true

/** Lower is more urgent; undefined if the job needs no person. */
const urgency = (job: Listed): number | undefined => {
  if ((job.questions ?? []).length > 0) return 0
  if (job.status === "parked") return isWaiting(job) ? undefined : 0
  if (job.status === "failed") return isSettled(job) ? undefined : 1
  return job.status === "interrupted" ? 2 : undefined
}

/** The jobs that need a person. */
export const choose = <Job extends Listed>(jobs: ReadonlyArray<Job>): ReadonlyArray<Job> =>
  jobs
    .flatMap((job) => {
      const of = urgency(job)
      return of === undefined ? [] : [{ job, of }]
    })
    .sort((a, b) => a.of - b.of || (a.job.id < b.job.id ? 1 : -1))
    .map(({ job }) => job)
