/**
 * The children of jobs over a session and a writer: their start, and what the end of a child and the stop of a parent do.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { type DateTime, Effect } from "effect"
import { type IdempotencyKeyReused, type JobConflict, type QueueFull, Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Change, ChildStore, NewRun, StartedChild } from "../port/RunStoreService.js"
import * as childRules from "../rules/childRules.js"
import * as Page from "../rules/Page.js"
import { type Batch, current } from "./Batch.js"
import * as children from "./children.js"
import type { Lanes } from "./Lanes.js"
import * as requests from "./requests.js"
import type * as runs from "./runs.js"
import type { Session } from "./Session.js"

/** Counts the end of a child, and makes its parent due if that waits for it. */
export const ended = (batch: Batch, parent: JobId, at: DateTime.Utc): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    yield* children.countEnd(yield* batch.connection, parent)
    const head = yield* batch.reload(parent)
    if (head?.state.parked?.children === undefined) return
    const to = childRules.afterChild(head.state, at, head.childEnds ?? 0)
    if (to === undefined) return
    yield* batch.change(parent, head, to)
    yield* requests.insertWake(yield* batch.connection, { kind: head.kind, jobId: parent, at })
    batch.submits(head.kind)
  })

/** Stops the children of a job that is stopped: pending ones at once, and any other by the manager of its kind. */
export const stopAll = (
  batch: Batch,
  { chain, childEnds }: Pick<runs.Head, "chain" | "childEnds">,
  { at, jobId }: Pick<Change, "at" | "jobId">,
  apply: (head: runs.Head, change: Change) => Effect.Effect<unknown, Superseded | SqlError>
): Effect.Effect<void, Superseded | SqlError> =>
  Effect.gen(function* () {
    if (childEnds === undefined) return
    const ids = yield* children.toStop(yield* batch.connection, chain)
    yield* batch.load(ids.filter((id) => batch.head(id) === undefined))
    for (const id of ids) {
      const head = batch.head(id)
      const how = head && childRules.howToStop(head.state.status)
      if (head === undefined || how === undefined) continue
      const { grace, sender } = childRules.stopOf(jobId)
      if (how === "request") {
        yield* requests.insertStop(yield* batch.connection, { kind: head.kind, jobId: id, grace, sender, at })
        batch.submits(head.kind)
        continue
      }
      yield* apply(head, { type: "job.cancelled", jobId: id, attempt: head.state.attempt, at, sender })
    }
  })

export const make = ({
  lanes: { admit },
  session,
  submitRun
}: {
  readonly session: Session
  readonly lanes: Pick<Lanes, "admit">
  /** Records a run as a producer does. */
  readonly submitRun: (
    batch: Batch,
    run: NewRun
  ) => Effect.Effect<JobId, JobConflict | QueueFull | IdempotencyKeyReused | SqlError>
}): ChildStore => ({
  start: (child) => {
    const { attempt, jobId, run } = child
    return admit({
      operation: "start a child",
      lane: "fast",
      isAlone: true,
      about: jobId,
      body: (
        batch
      ): Effect.Effect<StartedChild, JobConflict | QueueFull | IdempotencyKeyReused | Superseded | SqlError> =>
        Effect.gen(function* () {
          if (current(batch, jobId, attempt) === undefined) return yield* new Superseded({ jobId, attempt })
          const found = yield* children.find(yield* batch.connection, child)
          const submitted = childRules.toSubmit(child, found)
          const id = submitted === undefined ? (found?.id ?? run.id) : yield* submitRun(batch, submitted)
          const kind = submitted?.kind ?? found?.kind ?? run.kind
          const connection = yield* batch.connection
          const status = id === run.id ? "pending" : yield* children.adopt(connection, id, jobId)
          yield* children.put(connection, child, { id, kind })
          yield* children.expect(connection, jobId)
          // The statements above have changed what this batch knows of both.
          yield* batch.reload(jobId)
          if (batch.head(id) !== undefined) yield* batch.reload(id)
          return { id, kind, status: status ?? "pending" }
        })
    })
  },
  recall: (parent) => session.read("read children", (connection) => children.recall(connection, parent)),
  list: (query) =>
    Effect.flatMap(Page.limit("list children", query), (limit) =>
      session.read("list children", (connection) => children.list(connection, { ...query, limit }))
    )
})
