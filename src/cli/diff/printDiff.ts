/**
 * `charlotte diff`: prints the changes of a job, page by page.
 */
import { Effect, Option, Schema, Stream } from "effect"
import * as Home from "../../daemon/home/Home.js"
import type { JobId } from "../../domain/JobId.js"
import { Diff, DiffFile } from "../../http/contract/Diff.js"
import { UsageError } from "../parser/UsageError.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { Output, type Service as OutputService } from "../terminal/Output.js"
import * as pager from "../terminal/pager.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as patchLines from "./patchLines.js"
import * as statLines from "./statLines.js"

export interface Options {
  readonly job: string
  readonly unit: Option.Option<string>
  /** The number of a task of the unit. */
  readonly task: Option.Option<number>
  /** The number of a snapshot of the unit's unfinished work. */
  readonly unfinished: Option.Option<number | "last">
  readonly stat: boolean
  readonly noPager: boolean
  readonly json: boolean
}

type Render = (write: OutputService["write"]) => Effect.Effect<void, unknown>

export const printDiff = ({ job, json, noPager, stat, task, unfinished, unit }: Options) =>
  Effect.gen(function* () {
    const output = yield* Output
    if (Option.isSome(task) && (Option.isNone(unit) || Option.isSome(unfinished)))
      return yield* new UsageError({
        problem: Option.isNone(unit)
          ? "--task needs a unit: charlotte diff JOB UNIT --task N"
          : "--task and --unfinished exclude each other",
        hint: "see: charlotte diff --help"
      })
    const jobs = yield* JobSource.read
    const id = yield* JobRef.find(jobs, job)
    const snapshot = yield* Effect.transposeMapOption(unfinished, (number) => openSnapshot(id, unit, number))
    const pageAt = (after: string | undefined): Effect.Effect<Diff, unknown> =>
      Option.isSome(snapshot)
        ? snapshot.value(after)
        : jobs.diff(id, {
            ...(Option.isSome(unit) && { unit: unit.value }),
            ...(Option.isSome(task) && { task: task.value }),
            ...(after !== undefined && { after })
          })
    // Requested before the pager starts, so that an error is printed to the terminal itself.
    const first = yield* pageAt(undefined)
    const pages = Stream.paginateEffect(Option.none<string>(), (after) =>
      Effect.map(Option.isSome(after) ? pageAt(after.value) : Effect.succeed(first), (page) => [
        page,
        Option.map(Option.fromNullable(page.next), Option.some)
      ])
    )
    if (json) {
      return yield* Stream.runForEach(pages, (page) => output.write(`${toJson(stat ? withoutPatches(page) : page)}\n`))
    }
    if (first.files.length === 0) {
      return yield* output.isTerminal ? output.write(`${nothingYet(id, output.colours)}\n`) : Effect.void
    }
    const render: Render = stat
      ? (write) =>
          Effect.gen(function* () {
            const files = yield* Stream.runCollect(Stream.mapConcat(pages, (page) => withoutPatches(page).files))
            const { columns } = yield* output.size
            yield* write(paint(output, statLines.of([...files], columns)))
          })
      : (write) =>
          Stream.runForEach(pages, ({ files }) =>
            Effect.forEach(files, (file) => write(paint(output, patchLines.of(file))), { discard: true })
          )
    yield* output.isTerminal && !noPager ? pager.withPager(output, render) : render(output.write)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)

const openSnapshot = (id: JobId, unit: Option.Option<string>, number: number | "last") =>
  Effect.gen(function* () {
    if (Option.isNone(unit))
      return yield* new UsageError({
        problem: "--unfinished needs a unit: charlotte diff JOB UNIT --unfinished N",
        hint: "see: charlotte diff --help"
      })
    const { open } = yield* Effect.promise(() => import("./unfinishedDiff.js"))
    return yield* open(id, unit.value, number)
  })

const toJson = (page: Diff): string => JSON.stringify(Schema.encodeSync(Diff)(page))

const withoutPatches = (page: Diff): Diff =>
  new Diff(
    {
      ...page,
      files: page.files.map(({ patch: _, ...file }) => new DiffFile(file, { disableValidation: true }))
    },
    { disableValidation: true }
  )

/** A pipe gets each line as it is. */
const paint = ({ colours, isTerminal }: OutputService, lines: ReadonlyArray<StyledLine.Piece>): string =>
  lines
    .map(({ style, text }) => (isTerminal ? StyledLine.paint([StyledLine.verbatim(text, style)], colours) : text))
    .map((line) => `${line}\n`)
    .join("")

const nothingYet = (id: string, colours: boolean): string =>
  StyledLine.paint([StyledLine.raw("· ", "faint"), StyledLine.raw(`job ${id} has changed nothing so far`)], colours)
