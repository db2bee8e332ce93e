/**
 * The questions of a job's agents, and their answers, as the store has them.
 */
import { Data, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { Question } from "../../domain/Question.js"
import { now } from "../../internal/now.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Service as Store } from "../../store/port/RunStoreService.js"
import { isOpen } from "../../store/rules/answering.js"
import { retryWrite } from "../../store/rules/retryWrite.js"
import type { Answered } from "../agents/Prompt.js"
import type { WriteError } from "./WriteError.js"

/** The agent of a unit has asked a person, so that no turn begins there before the answer. */
export class QuestionAsked extends Data.TaggedError("QuestionAsked")<{}> {}

export interface Questions {
  /** The answered questions of a task, in order. */
  readonly answersTo: (unit: string, task: number) => ReadonlyArray<Answered>
  /** The question for whose answer a unit waits. */
  readonly openOf: (unit: string) => Question | undefined
  readonly ask: (
    asked: Pick<Question, "unit" | "task" | "agent" | "session" | "question">
  ) => Effect.Effect<void, WriteError>
  /** Whether a question is answered by now. */
  readonly isAnswered: (question: Question) => Effect.Effect<boolean, StoreError>
  /** Returns once a question is answered. */
  readonly answered: (question: Question) => Effect.Effect<void, StoreError>
}

/** Other events of the job change it, too. */
const leastPause = "200 millis"

export const open = (
  store: Pick<Store, "questions" | "changes">,
  { attempt, id: jobId }: Pick<JobContext<unknown>, "id" | "attempt">,
  /** The questions of the job that is retried. */
  taken: ReadonlyArray<Question>
): Effect.Effect<Questions, WriteError> =>
  Effect.gen(function* () {
    const at = yield* now
    const asked = taken.map((question) =>
      isOpen(question) ? new Question({ ...question, askedAt: at }, { disableValidation: true }) : question
    )
    if (asked.length > 0) yield* retryWrite(store.questions.record({ jobId, attempt, questions: asked }))
    let all: ReadonlyArray<Question> = attempt === 1 && asked.length === 0 ? [] : yield* store.questions.of(jobId)
    const ofTask = (unit: string, task: number) =>
      all.filter((question) => question.unit === unit && question.task === task)
    const openOf = (unit: string) => all.find((question) => question.unit === unit && isOpen(question))

    const isAnswered = ({ unit }: Question) =>
      Effect.map(retryWrite(store.questions.of(jobId)), (found) => {
        all = found
        return openOf(unit) === undefined
      })
    return {
      answersTo: (unit, task) =>
        ofTask(unit, task).flatMap(({ answer, question }) => (answer === undefined ? [] : [{ answer, question }])),
      openOf,
      ask: (asked) =>
        Effect.gen(function* () {
          const seq = ofTask(asked.unit, asked.task).length + 1
          const question = new Question({ ...asked, seq, askedAt: yield* now }, { disableValidation: true })
          yield* retryWrite(store.questions.record({ jobId, attempt, questions: [question] }))
          all = [...all, question]
        }),
      isAnswered,
      answered: (question) =>
        Effect.gen(function* () {
          const changes = yield* store.changes(jobId)
          for (;;) {
            const version = yield* changes.version
            if (yield* isAnswered(question)) return
            yield* changes.changed(version)
            yield* Effect.sleep(leastPause)
          }
        }).pipe(Effect.scoped)
    }
  })
