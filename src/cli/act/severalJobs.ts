/**
 * What is the same for all commands that act on several jobs: their filters, and what they print.
 */
import { Effect, Either, Option } from "effect"
import type { JobId } from "../../domain/JobId.js"
import * as ExitCode from "../errors/ExitCode.js"
import * as JobTable from "../list/JobTable.js"
import * as format from "../terminal/format.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { sender } from "./sender.js"

export interface Filter<Status> {
  readonly kind: Option.Option<string>
  readonly status: Option.Option<Status>
  readonly labels: ReadonlyArray<readonly [name: string, value: string]>
  readonly search: Option.Option<string>
}

export const isFiltered = ({ kind, labels, search, status }: Filter<unknown>): boolean =>
  Option.isSome(kind) || Option.isSome(status) || Option.isSome(search) || labels.length > 0

export const queryOf = <Status>({ kind, labels, search, status }: Filter<Status>) => ({
  kind: Option.getOrElse(kind, () => JobTable.tasksKind),
  status: Option.getOrUndefined(status),
  q: Option.getOrUndefined(search),
  ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
  by: sender()
})

/** A job that is refused does not keep the command from acting on the others. */
export const each = <A, E extends Error, R>(
  ids: ReadonlyArray<JobId>,
  act: (id: JobId) => Effect.Effect<A, E, R>,
  {
    done,
    json,
    toJson
  }: {
    readonly json: boolean
    readonly toJson: (done: A) => object
    readonly done: (id: JobId, done: A) => string
  }
) =>
  Effect.gen(function* () {
    const answers = yield* Effect.forEach(ids, (id) => Effect.map(Effect.either(act(id)), (answer) => ({ id, answer })))
    yield* json
      ? Effect.forEach(answers, ({ answer, id }) =>
          writeJson({
            id,
            ...Either.match(answer, {
              onLeft: (error) => ({ error: { ...error, message: error.message } }),
              onRight: toJson
            })
          })
        )
      : writeLines(
          answers.map(({ answer, id }) =>
            Either.match(answer, {
              onLeft: ({ message }): StyledLine.Line => [StyledLine.raw("✗ ", "bad"), StyledLine.piece(message)],
              onRight: (result): StyledLine.Line => [StyledLine.raw("✓ ", "good"), StyledLine.raw(done(id, result))]
            })
          )
        )
    if (answers.some(({ answer }) => Either.isLeft(answer))) return yield* new ExitCode.Quit({ code: ExitCode.failed })
  })

/** Prints how many of the jobs that match were acted on, and why the others were not. */
export const report = (
  verb: "retried" | "removed",
  { done, problem, refused }: { readonly done: number; readonly refused: number; readonly problem?: string },
  { json }: { readonly json: boolean }
) =>
  Effect.gen(function* () {
    yield* json
      ? writeJson({ [verb]: done, refused, ...(problem !== undefined && { problem }) })
      : writeLines([
          [
            StyledLine.raw(done === 0 ? "· " : "✓ ", done === 0 ? "faint" : "good"),
            StyledLine.raw(`${format.count(done, "job")} ${verb}`)
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
