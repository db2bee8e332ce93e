/**
 * The part of the in-memory store for the questions of agents.
 */
import { Effect, Order } from "effect"
import { StoreError, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Question } from "../../domain/Question.js"
import type { QuestionStore } from "../port/QuestionStore.js"
import { isOpen, storableQuestion } from "../rules/answering.js"
import type * as MemoryTaskProgressStore from "./TaskProgressStore.js"

const keyOf = ({ seq, task, unit }: Question): string => `${unit}/${task}/${seq}`

const byPlace = Order.combineAll([
  Order.mapInput(Order.string, ({ unit }: Question) => unit),
  Order.mapInput(Order.number, ({ task }: Question) => task),
  Order.mapInput(Order.number, ({ seq }: Question) => seq)
])

export interface MemoryQuestionStore extends Omit<QuestionStore, "answer"> {
  readonly ofJob: (jobId: JobId) => ReadonlyArray<Question>
  readonly openOf: (jobId: JobId) => ReadonlyArray<Question>
  readonly replace: (jobId: JobId, question: Question) => void
  readonly forget: (jobId: JobId) => void
}

export const make = (
  isCurrent: (jobId: JobId, attempt: number) => boolean,
  { hasTask, unitsOf }: Pick<ReturnType<typeof MemoryTaskProgressStore.make>, "hasTask" | "unitsOf">
): MemoryQuestionStore => {
  const jobs = new Map<JobId, Map<string, Question>>()
  const ofJob = (jobId: JobId) => [...(jobs.get(jobId)?.values() ?? [])].sort(byPlace)

  const openOf = (jobId: JobId) =>
    unitsOf(jobId)
      .filter(({ state }) => state === "pending" || state === "running")
      .flatMap(({ unit }) => ofJob(jobId).filter((question) => question.unit === unit && isOpen(question)))

  return {
    ofJob,
    openOf,
    replace: (jobId, question) => void jobs.get(jobId)?.set(keyOf(question), question),
    forget: (jobId) => void jobs.delete(jobId),
    record: ({ attempt, jobId, questions }) =>
      Effect.suspend((): Effect.Effect<void, StoreError | Superseded> => {
        if (!isCurrent(jobId, attempt)) return new Superseded({ jobId, attempt })
        const stray = questions.find((question) => !hasTask(jobId, question))
        if (stray !== undefined) {
          const cause = new Error(`${stray.unit}/${stray.task} was not planned`)
          return new StoreError({ operation: "record questions", reason: "other", cause })
        }
        const known = jobs.get(jobId)
        jobs.set(
          jobId,
          new Map([
            ...questions.map((question) => [keyOf(question), storableQuestion(question)] as const),
            ...(known ?? [])
          ])
        )
        return Effect.void
      }),
    of: (jobId) => Effect.sync(() => ofJob(jobId)),
    open: (jobIds) =>
      Effect.sync(
        () => new Map(jobIds.map((jobId) => [jobId, openOf(jobId)] as const).filter(([, open]) => open.length > 0))
      )
  }
}
