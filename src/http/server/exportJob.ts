/**
 * Streams the complete record of a job as one JSON document, page by page.
 */
import { Effect, Option, Schema, Stream } from "effect"
import { JobNotFound, type StoreError } from "../../domain/errors.js"
import { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import { Question } from "../../domain/Question.js"
import { RecordedSignal } from "../../domain/RecordedSignal.js"
import { Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import { TaskRecord, UnitRecord } from "../../domain/Work.js"
import type { Reads } from "../../store/Runs.js"
import { endsJob } from "../contract/Events.js"
import { format } from "../contract/Export.js"
import { withoutIdempotencyKey } from "../../domain/withoutIdempotencyKey.js"

/** Records per query. */
const pageSize = 256

/** A payload of a signal has up to 64 KiB. */
const signalsPageSize = 32

const records = <A, I>(schema: Schema.Schema<A, I>) => {
  const encode = Schema.encodeSync(schema)
  return (page: ReadonlyArray<A>) => page.map((record) => JSON.stringify(encode(record)))
}

const [encodeRuns, encodeEvents, encodeUnits, encodeTasks, encodeQuestions, encodeSignals] = [
  records(Run),
  records(JobEvent),
  records(UnitRecord),
  records(TaskRecord),
  records(Question),
  records(RecordedSignal)
]

/** The items of an array, from pages of them. */
const items = <E>(pages: Stream.Stream<ReadonlyArray<string>, E>): Stream.Stream<string, E> =>
  pages.pipe(
    Stream.filter(({ length }) => length > 0),
    Stream.mapAccum("\n", (before, page) => [",\n", before + page.join(",\n")])
  )

const array = <E>(name: string, pages: Stream.Stream<ReadonlyArray<string>, E>): Stream.Stream<string, E> =>
  Stream.concat(Stream.make(`,\n"${name}":[`), Stream.concat(items(pages), Stream.make("]")))

/**
 * Fails before the first piece if the job does not exist. For a job that has not ended, it contains only the events up to the start
 * of the export, so that it terminates.
 */
export const exportJob = (
  store: Reads,
  jobId: JobId,
  isServed: (run: Run) => boolean
): Effect.Effect<Stream.Stream<string, JobNotFound | StoreError>, JobNotFound | StoreError> =>
  Effect.gen(function* () {
    const found = yield* store.withWork(jobId)
    if (Option.isNone(found) || !isServed(found.value.run)) return yield* new JobNotFound({ jobId })
    const { run, work } = found.value
    const questions = work.tasks.length === 0 ? [] : yield* store.questions.of(jobId)
    const isComplete = isTerminal(run.status)
    const last = isComplete ? Infinity : yield* store.latestCursor
    const isIncluded = (event: JobEvent) => event.cursor <= last && (isComplete || !endsJob(event))

    const events = Stream.paginateEffect(0, (after) =>
      Effect.gen(function* () {
        const found = yield* store.events({ kind: run.kind, jobId, after, limit: pageSize })
        if (Option.isNone(found)) return yield* new JobNotFound({ jobId })
        const { events, more } = found.value
        const page = events.filter(isIncluded)
        const next = more && page.length === events.length ? Option.fromNullable(events.at(-1)?.seq) : Option.none()
        return [encodeEvents(page), next] as const
      })
    )
    const signals = Stream.paginateEffect(0, (after) =>
      Effect.map(store.signals({ jobId, after, limit: signalsPageSize }), (page) => {
        const next = page.length === signalsPageSize ? Option.fromNullable(page.at(-1)?.seq) : Option.none()
        return [encodeSignals(page), next] as const
      })
    )
    const head = `{"charlotte":${format},${isComplete ? "" : '"complete":false,'}\n"run":`
    return Stream.make(head + encodeRuns([withoutIdempotencyKey(run)]).join("")).pipe(
      Stream.concat(array("events", events)),
      Stream.concat(array("units", Stream.make(encodeUnits(work.units)))),
      Stream.concat(array("tasks", Stream.make(encodeTasks(work.tasks)))),
      Stream.concat(array("questions", Stream.make(encodeQuestions(questions)))),
      Stream.concat(array("signals", signals)),
      // The line break shows that the document is complete.
      Stream.concat(Stream.make("}\n")),
      // Each page is written before the next is read.
      Stream.rechunk(1)
    )
  })
