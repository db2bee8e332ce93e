/**
 * Compares the real manager and its store with the model.
 */
import { expect } from "@effect/vitest"
import { type JobEvent, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Clock, Effect, Option, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import { RealClock } from "../../src/internal/RealClock.js"
import { resumedBy } from "./Lives.js"
import type { Model } from "./Model.js"

const groups = ["x", "y"]

const statuses = { manual: ["parked", "pending"], automatic: ["interrupted", "parked", "pending"] } as const

/** What the model says is so. */
const expected = (model: Model) => ({
  active: model.active.map(({ id }) => id).sort(),
  count: model.active.length,
  runs: model.newestFirst.map((job) => ({
    id: job.id,
    status: job.status,
    attempt: job.attempt,
    tries: job.tries,
    priority: job.priority,
    group: job.start.group,
    pinned: job.isPinned,
    waitsFor: model.shownWait(job),
    retriedAs: model.retriedAs(job),
    log: job.log
  })),
  due: model.due.map(({ id }) => id),
  pending: model.pending.length,
  groups: model.kind.hasGroups ? groups.map((group) => model.group(group)) : []
})

/** The same of the real ones. `logOf` returns the types of the events of a job. */
const actual = (model: Model, logOf: (id: JobId.JobId) => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const store = yield* RunStore.RunStore
    const { limits, kind } = model
    const runs = yield* store.list({ limit: 1_000 })
    const due = yield* store.due({ kind: kind.name, statuses: statuses[limits.recovery], limit: 1_000 })
    return {
      active: [...(yield* manager.list)].sort(),
      count: yield* manager.activeCount,
      runs: runs.map(({ attempt, group, id, pinned = false, priority, retriedAs, status, tries = 0, waitsFor }) => ({
        ...{ id, status, attempt, tries, priority, group, pinned, waitsFor, retriedAs },
        log: logOf(id)
      })),
      due: due.map(({ run }) => run.id),
      pending: yield* store.pending(kind.name),
      groups: kind.hasGroups ? yield* Effect.forEach(groups, (group) => store.groups.get(kind.name, group)) : []
    }
  })

const decodeResumed = Schema.decodeUnknownOption(Schema.Struct({ by: Schema.optional(Schema.String) }))

/** The type of an event, and why an attempt begins. */
const entryOf = ({ payload, type }: JobEvent.JobEvent): string =>
  type === "job.resumed" ? resumedBy(Option.getOrUndefined(Option.map(decodeResumed(payload), ({ by }) => by))) : type

/** Reads the events that are new since the last comparison. */
const readLogs = (model: Model) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    for (let more = true; more;) {
      const page = yield* store.allEvents({ kind: model.kind.name, after: model.cursor, limit: 1_000 })
      for (const event of page.events)
        model.seen.set(event.jobId, [...(model.seen.get(event.jobId) ?? []), entryOf(event)])
      model.cursor = page.cursor
      more = page.more
    }
  })

/** How long what happens by itself may take, in real milliseconds. */
const patience = 10_000

/**
 * All that is to happen by itself happens, and the real manager is then in the same state as the model: runs that wait begin, as far as
 * there are permits.
 */
export const agree = (model: Model) =>
  Effect.gen(function* () {
    model.advance(yield* Clock.currentTimeMillis)
    const { began } = yield* ScriptedOrchestrator.ScriptedOrchestrator
    const { now, turn } = yield* RealClock
    const wanted = expected(model)
    const read = Effect.zipRight(
      readLogs(model),
      actual(model, (id) => model.seen.get(id) ?? [])
    )
    const since = yield* now
    let found = yield* read
    while (!isDeepStrictEqual(found, wanted) && (yield* now) - since < patience) {
      yield* turn
      found = yield* read
    }
    expect(found).toEqual(wanted)
    for (const { attempt, id } of model.active) yield* began(id, attempt)
    // The manager has looked for the next run that waits.
    yield* Effect.repeatN(turn, 5)
  })

/** The entries of the log of a job, read from its own log. */
export const logOf = ({ kind }: Model, id: JobId.JobId) =>
  Effect.flatMap(RunStore.RunStore, (store) =>
    Effect.map(store.events({ kind: kind.name, jobId: id, after: 0, limit: 1_000 }), (page) =>
      Option.match(page, { onNone: () => [], onSome: ({ events }) => events.map(entryOf) })
    )
  )
