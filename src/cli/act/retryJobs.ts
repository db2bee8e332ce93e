/**
 * Retries several jobs, through the process that runs jobs, or in the database if there is none. The retries are queued.
 */
import { Effect, Either, Option, Stream } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import type { RetryProgress, RetryQuery } from "../../manager/JobManagerService.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as JobTable from "../list/JobTable.js"
import * as JobRef from "../target/JobRef.js"
import * as format from "../terminal/format.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { acting } from "./acting.js"
import { sender } from "./sender.js"

export interface Filter {
  readonly kind: Option.Option<string>
  readonly status: Option.Option<"failed" | "cancelled">
  readonly labels: ReadonlyArray<readonly [name: string, value: string]>
  readonly search: Option.Option<string>
}

export const isFiltered = ({ kind, labels, search, status }: Filter): boolean =>
  Option.isSome(kind) || Option.isSome(status) || Option.isSome(search) || labels.length > 0

/** A job that is refused does not keep the others from being retried. */
export const each = ({
  again,
  fresh,
  jobs: names,
  json
}: {
  readonly jobs: ReadonlyArray<string>
  readonly fresh: boolean
  readonly again: boolean
  readonly json: boolean
}) =>
  acting((jobs) =>
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(names, (name) => JobRef.find(jobs, name))
      const answers = yield* Effect.forEach(ids, (id) =>
        Effect.map(Effect.either(jobs.retry(id, { again, fresh, by: sender() })), (answer) => ({ id, answer }))
      )
      yield* json
        ? Effect.forEach(answers, ({ answer, id }) =>
            writeJson(
              Either.match(answer, {
                onLeft: (error) => ({ id, error: { ...error, message: error.message } }),
                onRight: (retriedAs) => ({ id, retriedAs })
              })
            )
          )
        : writeLines(answers.map(({ answer, id }) => line(id, answer)))
      if (answers.some(({ answer }) => Either.isLeft(answer)))
        return yield* new ExitCode.Quit({ code: ExitCode.failed })
    })
  ).pipe(Effect.provide(Home.layerUntouched))

const line = (id: JobId, answer: Either.Either<JobId, Error>): StyledLine.Line =>
  Either.match(answer, {
    onLeft: ({ message }) => [StyledLine.raw("✗ ", "bad"), StyledLine.piece(message)],
    onRight: (retry) => [StyledLine.raw("✓ ", "good"), StyledLine.raw(`job ${id} is retried as ${retry}`)]
  })

export const matching = ({
  fresh,
  json,
  kind,
  labels,
  search,
  status
}: Filter & { readonly fresh: boolean; readonly json: boolean }) =>
  acting(({ retryMany }) =>
    Effect.gen(function* () {
      const query: RetryQuery = {
        status: Option.getOrUndefined(status),
        q: Option.getOrUndefined(search),
        ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
        fresh,
        by: sender()
      }
      const progress = yield* Stream.runLast(
        retryMany({ ...query, kind: Option.getOrElse(kind, () => JobTable.tasksKind) })
      )
      const { problem, refused, retried } = Option.getOrElse(progress, (): Omit<RetryProgress, "last"> => ({
        retried: 0,
        refused: 0
      }))
      yield* json
        ? writeJson({ retried, refused, ...(problem !== undefined && { problem }) })
        : writeLines([
            [
              StyledLine.raw(retried === 0 ? "· " : "✓ ", retried === 0 ? "faint" : "good"),
              StyledLine.raw(`${format.count(retried, "job")} retried`)
            ],
            ...(refused === 0
              ? []
              : [
                  [
                    StyledLine.raw("✗ ", "bad"),
                    StyledLine.raw(`${format.count(refused, "job")} refused: `),
                    StyledLine.piece(problem ?? "")
                  ]
                ])
          ])
      if (refused > 0) return yield* new ExitCode.Quit({ code: ExitCode.failed })
    })
  ).pipe(Effect.provide(Home.layerUntouched))
