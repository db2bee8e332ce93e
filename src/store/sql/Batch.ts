/**
 * What the writes of one transaction share. Of each job, its head is read once and then known; and what goes into the log
 * goes in at the end, all of it together. This is a hot path: each job passes it twice and each event once.
 */
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { AcceptedEvent, NewRun } from "../Port.js"
import type { State } from "../Transition.js"
import * as events from "./events.js"
import * as runs from "./runs.js"

export interface Batch {
  readonly connection: Connection
  /** What is known of a job; none if there is no such run. */
  readonly head: (jobId: JobId) => Effect.Effect<runs.Head | undefined, SqlError>
  readonly insert: (run: NewRun) => Effect.Effect<void, SqlError>
  readonly update: (jobId: JobId, head: runs.Head, to: State) => Effect.Effect<void, SqlError>
  readonly forgetCrashes: (jobId: JobId, head: runs.Head) => Effect.Effect<void, SqlError>
  /** Gives events the next numbers of their job. */
  readonly append: (jobId: JobId, events: ReadonlyArray<AcceptedEvent>) => void
  /** Writes what was appended. */
  readonly flush: Effect.Effect<void, SqlError>
}

export const make = (connection: Connection): Batch => {
  const heads = new Map<JobId, runs.Head>()
  const rows: Array<events.NewRow> = []

  const know = (jobId: JobId, head: runs.Head) => {
    heads.set(jobId, head)
  }

  return {
    connection,

    head: (jobId) => {
      const known = heads.get(jobId)
      return known === undefined
        ? Effect.tap(runs.head(connection, jobId), (head) => head && Effect.sync(() => know(jobId, head)))
        : Effect.succeed(known)
    },

    insert: (run) => Effect.map(runs.insert(connection, run), () => know(run.id, runs.newHead(run))),

    update: (jobId, head, to) =>
      Effect.map(runs.update(connection, jobId, head.state, to), () => know(jobId, { ...head, state: to })),

    forgetCrashes: (jobId, head) =>
      Effect.map(runs.forgetCrashes(connection, jobId), () =>
        know(jobId, { ...head, state: { ...head.state, crashes: 0 } })
      ),

    append: (jobId, appended) => {
      const head = heads.get(jobId)
      if (head === undefined) throw new Error(`events of job ${jobId} are appended before it is known`)
      for (const [i, event] of appended.entries()) rows.push(events.newRow(jobId, head.seq + i + 1, event))
      know(jobId, { ...head, seq: head.seq + appended.length })
    },

    flush: Effect.suspend(() => (rows.length === 0 ? Effect.void : events.insert(connection, rows)))
  }
}
