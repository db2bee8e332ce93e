/**
 * Statements on `charlotte_questions`.
 */
import type { Connection } from "./Dialect.js"
import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import { Question } from "../../domain/Question.js"
import { storableQuestion } from "../rules/answering.js"
import { execute, inserter, query } from "./statements.js"

const Text = Schema.optionalWith(Schema.String, { nullable: true })

const Row = Schema.Struct({
  jobId: JobId,
  unit: Schema.String,
  task: Schema.Number,
  seq: Schema.Number,
  agent: Schema.String,
  session: Text,
  question: Schema.String,
  askedAt: Schema.DateTimeUtcFromNumber,
  answer: Text,
  by: Text,
  answeredAt: Schema.optionalWith(Schema.DateTimeUtcFromNumber, { nullable: true })
})

const select = query(Row)

const columns = `q.job_id AS "jobId", q.unit, q.task, q.seq, q.agent, q.session, q.question, q.asked_at AS "askedAt", q.answer,
  q.answered_by AS "by", q.answered_at AS "answeredAt"`

const toQuestion = ({ jobId: _, ...row }: typeof Row.Type): Question => new Question(row, { disableValidation: true })

export const of = (connection: Connection, jobId: JobId): Effect.Effect<ReadonlyArray<Question>, SqlError> =>
  Effect.map(
    select(
      connection,
      `SELECT ${columns} FROM charlotte_questions q WHERE q.job_id = ? ORDER BY q.unit, q.task, q.seq`,
      [jobId]
    ),
    (rows) => rows.map(toQuestion)
  )

/** The open questions of units that are not over, with one query for any number of jobs. */
export const open = (
  connection: Connection,
  jobIds: ReadonlyArray<JobId>
): Effect.Effect<ReadonlyMap<JobId, ReadonlyArray<Question>>, SqlError> =>
  Effect.map(
    select(
      connection,
      `SELECT ${columns} FROM charlotte_questions q JOIN charlotte_units u ON u.job_id = q.job_id AND u.unit = q.unit
       WHERE q.job_id IN (SELECT value FROM ${connection.dialect.strings} ids) AND q.answered_at IS NULL
         AND u.state IN ('pending', 'running')
       ORDER BY q.job_id, u.position, q.task, q.seq`,
      [JSON.stringify(jobIds)]
    ),
    (rows) => {
      const open = new Map<JobId, ReadonlyArray<Question>>()
      for (const row of rows) open.set(row.jobId, [...(open.get(row.jobId) ?? []), toQuestion(row)])
      return open
    }
  )

const fields = ["job_id", "unit", "task", "seq", "agent", "session", "question", "asked_at"]
const answerFields = ["answer", "answered_by", "answered_at"]

const insert = inserter("charlotte_questions", [...fields, ...answerFields])

const valuesOfAnswer = ({ answer, answeredAt, by }: Question) => ({
  answer,
  answered_by: by,
  answered_at: answeredAt && DateTime.toEpochMillis(answeredAt)
})

/** Inserts the questions that are not recorded yet. */
export const record = (connection: Connection, jobId: JobId, questions: ReadonlyArray<Question>) =>
  Effect.gen(function* () {
    const known = new Set((yield* of(connection, jobId)).map(({ seq, task, unit }) => `${unit}/${task}/${seq}`))
    const added = questions.filter(({ seq, task, unit }) => !known.has(`${unit}/${task}/${seq}`))
    const rows = added.map(storableQuestion).map((question) => ({
      job_id: jobId,
      unit: question.unit,
      task: question.task,
      seq: question.seq,
      agent: question.agent,
      session: question.session,
      question: question.question,
      asked_at: DateTime.toEpochMillis(question.askedAt),
      ...valuesOfAnswer(question)
    }))
    yield* insert(connection, rows)
  })

export const answer = (connection: Connection, jobId: JobId, question: Question) => {
  const { answer = null, answered_at = null, answered_by = null } = valuesOfAnswer(question)
  return execute(
    connection,
    `UPDATE charlotte_questions SET answer = ?, answered_by = ?, answered_at = ?
     WHERE job_id = ? AND unit = ? AND task = ? AND seq = ? AND answered_at IS NULL`,
    [answer, answered_by, answered_at, jobId, question.unit, question.task, question.seq]
  )
}
