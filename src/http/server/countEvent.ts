/**
 * Counts an event in the metrics, and at the end of a job, its result and durations.
 */
import { DateTime, Duration, Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import { type JobEvent, statusAfter } from "../../domain/JobEvent.js"
import type { Run } from "../../domain/Run.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { Reads } from "../../store/Runs.js"
import * as instruments from "./instruments.js"

/** The result, as named by the semantic conventions. */
const resultOf = ({ error, status }: Run): string =>
  status === "completed"
    ? "success"
    : status === "cancelled"
      ? "cancellation"
      : error?.kind === "failure"
        ? "failure"
        : "error"

/** Enough to find the start among the first events of a job, before which there are at most signals. */
const firstEvents = 100

const countRun = (store: Reads, run: Run) =>
  Effect.gen(function* () {
    const { createdAt, endedAt = createdAt, error, id, kind, status } = run
    const name = { "cicd.pipeline.name": kind }
    if (status === "failed") instruments.runErrors.add(instruments.ofError(kind, error?.kind ?? "failure"), 1)
    const page = yield* store.events({ kind, jobId: id, after: 0, limit: firstEvents })
    const events = Option.match(page, { onNone: () => [], onSome: ({ events }) => events })
    const began = events.find(({ type }) => type === "job.started")?.at ?? run.startedAt
    const record = (state: string, from: DateTime.Utc, to: DateTime.Utc) =>
      instruments.runDuration.record(Duration.toSeconds(DateTime.distanceDuration(from, to)), {
        ...name,
        "cicd.pipeline.run.state": state,
        "cicd.pipeline.result": resultOf(run)
      })
    record("pending", createdAt, began ?? endedAt)
    if (began !== undefined) record("executing", began, endedAt)
  })

export const countEvent = (store: Reads, event: JobEvent): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    instruments.events.add({}, 1)
    if (event.type === "job.started") instruments.started.add({}, 1)
    const status = statusAfter(event)
    if (status === undefined || !isTerminal(status)) return
    const run = yield* store.get(event.jobId)
    if (Option.isNone(run)) return
    instruments.ended.add({ status }, 1)
    yield* countRun(store, run.value)
  })
