/**
 * Which question an answer is for, and what its answer changes.
 */
import { type DateTime, Either } from "effect"
import { AlreadyAnswered, NoOpenQuestion } from "../../domain/errors.js"
import { Question } from "../../domain/Question.js"
import { stringify } from "../../internal/Json.js"
import type { AcceptedEvent, Answer } from "../port/RunStoreService.js"
import { storable } from "./storableWork.js"

export const isOpen = ({ answer }: Question): boolean => answer === undefined

/** The question with its answer. `open` are the open questions among all of the job. */
export const answered = (
  all: ReadonlyArray<Question>,
  open: ReadonlyArray<Question>,
  { at, jobId, sender: { by } = {}, text, unit }: Answer
): Either.Either<Question, AlreadyAnswered | NoOpenQuestion> => {
  const isMeant = (question: Question) => unit === undefined || question.unit === unit
  const [asked, ...others] = open.filter(isMeant)
  if (asked !== undefined && others.length === 0) {
    const answer = { answer: storable(text), answeredAt: at, ...(by !== undefined && { by: storable(by) }) }
    return Either.right(new Question({ ...asked, ...answer }, { disableValidation: true }))
  }
  const last = asked === undefined ? lastAnswered(all.filter(isMeant)) : undefined
  return Either.left(
    last === undefined
      ? new NoOpenQuestion({ jobId, unit, waiting: open.map(({ unit }) => unit) })
      : new AlreadyAnswered({ jobId, unit: last.unit, by: last.by })
  )
}

const lastAnswered = (questions: ReadonlyArray<Question>): Question | undefined =>
  questions
    .filter((question) => !isOpen(question))
    .sort((a, b) => time(a.answeredAt) - time(b.answeredAt))
    .at(-1)

const time = (at: DateTime.Utc | undefined): number => at?.epochMillis ?? 0

/** The event of an answer. */
export const event = ({ answer, by, task, unit }: Question, { at, sender }: Answer): AcceptedEvent => ({
  at,
  type: "unit.answered",
  unit,
  payload: stringify({ task, answer, by, via: sender?.via })
})

/** A question as both databases keep it. */
export const storableQuestion = (question: Question): Question =>
  new Question({ ...question, question: storable(question.question) }, { disableValidation: true })
