/**
 * Decodes rows of `charlotte_runs`.
 */
import { DateTime, Either, type ParseResult, Predicate, Schema } from "effect"
import { parse } from "../../internal/Json.js"
import { JobId } from "../../domain/JobId.js"
import { Run, RunError } from "../../domain/Run.js"
import { RunStatus } from "../../domain/RunStatus.js"

const Time = Schema.NullOr(Schema.DateTimeUtcFromNumber)

export const Row = Schema.Struct({
  id: JobId,
  kind: Schema.String,
  status: RunStatus,
  attempt: Schema.Number,
  key: Schema.NullOr(Schema.String),
  config: Schema.parseJson(),
  labels: Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.String })),
  created_at: Schema.DateTimeUtcFromNumber,
  started_at: Time,
  stopping_at: Time,
  ended_at: Time,
  crashes: Schema.Number,
  result: Schema.NullOr(Schema.parseJson()),
  error: Schema.NullOr(Schema.parseJson(RunError))
})

export const columns = Object.keys(Row.fields).join(", ")

export const run = (row: typeof Row.Type): Run =>
  new Run(
    {
      id: row.id,
      kind: row.kind,
      status: row.status,
      attempt: row.attempt,
      config: row.config,
      labels: row.labels,
      createdAt: row.created_at,
      ...(row.started_at === null ? {} : { startedAt: row.started_at }),
      ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
      ...(row.status === "completed" ? { result: row.result } : {}),
      ...(row.error === null ? {} : { error: row.error })
    },
    { disableValidation: true }
  )

const isId = Schema.is(JobId)
const statuses: ReadonlySet<unknown> = new Set(RunStatus.literals)
export const isStatus = (value: unknown): value is RunStatus => statuses.has(value)
export const isTime = (value: unknown): value is number | null => value === null || typeof value === "number"
const isText = (value: unknown): value is string | null => value === null || typeof value === "string"
const isLabels = (value: unknown): value is { readonly [name: string]: string } =>
  Predicate.isRecord(value) && Object.values(value).every(Predicate.isString)

const date = (millis: number | null) => (millis === null ? null : DateTime.unsafeMake(millis))

/**
 * Decodes without the schema, since lists read up to a thousand runs; undefined for an invalid row, and for a run with an
 * error.
 */
const decodeFast = (row: unknown): Run | undefined => {
  if (!Predicate.isRecord(row)) return undefined
  const { attempt, config, crashes, created_at, ended_at, error, id, key } = row
  const { kind, labels, result, started_at, status, stopping_at } = row
  if (
    !(typeof id === "string" && isId(id)) ||
    typeof kind !== "string" ||
    !isStatus(status) ||
    typeof attempt !== "number" ||
    !isText(key) ||
    typeof config !== "string" ||
    typeof labels !== "string" ||
    typeof created_at !== "number" ||
    !isTime(started_at) ||
    !isTime(stopping_at) ||
    !isTime(ended_at) ||
    typeof crashes !== "number" ||
    !isText(result) ||
    error !== null
  ) {
    return undefined
  }
  try {
    const named = parse(labels)
    if (!isLabels(named)) return undefined
    return run({
      id,
      kind,
      status,
      attempt,
      key,
      config: parse(config),
      labels: named,
      created_at: DateTime.unsafeMake(created_at),
      started_at: date(started_at),
      stopping_at: date(stopping_at),
      ended_at: date(ended_at),
      crashes,
      result: result === null ? null : parse(result),
      error
    })
  } catch {
    // Invalid JSON or an invalid date.
    return undefined
  }
}

const decodeBySchema = Schema.decodeUnknownEither(Row)

/** Decodes a row; the schema handles runs with an error, and explains why a row is invalid. */
export const decode = (row: unknown): Either.Either<Run, ParseResult.ParseError> => {
  const decoded = decodeFast(row)
  return decoded === undefined ? Either.map(decodeBySchema(row), run) : Either.right(decoded)
}
