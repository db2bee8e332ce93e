/**
 * What the writes of one transaction share. The heads of their jobs are read together, and what they put into the tables of
 * runs and events goes in together. This is a hot path: each job passes it twice and each event once.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { AcceptedEvent, NewRun } from "../RunStoreService.js"
import type { State } from "../RunTransition.js"
import * as events from "./events.js"
import * as runs from "./runs.js"

export interface Batch {
  /** What is known of a job; none if there is no such run. */
  readonly head: (jobId: JobId) => runs.Head | undefined
  readonly insert: (run: NewRun) => void
  /** A job changes once in what goes in together: what it was before is written first. */
  readonly update: (jobId: JobId, head: runs.Head, to: State, told: AcceptedEvent) => Effect.Effect<void, SqlError>
  /** The orchestrator has shown a sign of life: the row of crashes is broken. */
  readonly forgetCrashes: (jobId: JobId, head: runs.Head) => Effect.Effect<void, SqlError>
  /** Gives events the next numbers of their job. */
  readonly append: (jobId: JobId, events: ReadonlyArray<AcceptedEvent>) => void
  /** Writes what has gathered. */
  readonly flush: Effect.Effect<void, SqlError>
  /** For statements of one's own, after what has gathered. */
  readonly connection: Effect.Effect<Connection, SqlError>
}

/** For writes that are about these jobs. */
export const make = (connection: Connection, jobIds: ReadonlyArray<JobId>): Effect.Effect<Batch, SqlError> =>
  jobIds.length === 0
    ? Effect.succeed(gathering(connection, new Map()))
    : Effect.map(runs.heads(connection, jobIds), (heads) => gathering(connection, heads))

const gathering = (connection: Connection, heads: Map<string, runs.Head>): Batch => {
  let inserted: Array<runs.NewRow> = []
  let updated = new Map<JobId, runs.Change>()
  let appended: Array<events.NewRow> = []

  const append: Batch["append"] = (jobId, added) => {
    const head = heads.get(jobId)
    if (head === undefined) throw new Error(`events of job ${jobId} are appended before it is known`)
    for (const [i, event] of added.entries()) appended.push(events.newRow(jobId, head.seq + i + 1, event))
    heads.set(jobId, { ...head, seq: head.seq + added.length })
  }

  const change = (jobId: JobId, head: runs.Head, to: State) => {
    updated.set(jobId, runs.change(jobId, head.state, to))
    heads.set(jobId, { ...head, state: to })
  }

  const flush = Effect.suspend(() => {
    const changes = [...updated.values()]
    const [newRuns, newEvents] = [inserted, appended]
    inserted = []
    updated = new Map()
    appended = []
    const insertRuns = newRuns.length === 0 ? Effect.void : runs.insert(connection, newRuns)
    const insertEvents = newEvents.length === 0 ? Effect.void : events.insert(connection, newEvents)
    return Effect.zipRight(insertRuns, Effect.zipRight(runs.update(connection, changes), insertEvents))
  })

  return {
    append,
    flush,
    connection: Effect.as(flush, connection),
    head: (jobId) => heads.get(jobId),

    insert: (run) => {
      inserted.push(runs.newRow(run))
      heads.set(run.id, runs.newHead(run))
    },

    update: (jobId, head, to, told) => {
      const proceed = () => {
        change(jobId, head, to)
        append(jobId, [told])
      }
      if (updated.has(jobId)) return Effect.map(flush, proceed)
      proceed()
      return Effect.void
    },

    forgetCrashes: (jobId, head) => {
      const proceed = () => change(jobId, head, { ...head.state, crashes: 0 })
      if (updated.has(jobId)) return Effect.map(flush, proceed)
      proceed()
      return Effect.void
    }
  }
}
