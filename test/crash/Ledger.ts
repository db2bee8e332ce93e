/**
 * What the child has told, over all its lives on one database. None of it may ever be untrue again.
 */
import { type JobId, RunStatus } from "charlotte"
import type { Report } from "./Report.js"
import type { State } from "./State.js"

export interface Ledger {
  readonly note: (report: Report) => void
  /** What was told and is not so. */
  readonly untrue: (state: State) => ReadonlyArray<string>
  readonly slowestStart: () => number
}

type Told<Tag extends Report["_tag"]> = Extract<Report, { readonly _tag: Tag }>

export const make = (): Ledger => {
  const started = new Set<JobId.JobId>()
  const ended: Array<Told<"Ended">> = []
  const flushed: Array<Told<"Flushed">> = []
  const shown: Array<Told<"Shown">> = []
  const seen: Array<string> = []
  let slowest = 0

  const note = (report: Report): void => {
    switch (report._tag) {
      case "Started":
        return void started.add(report.id)
      case "Ended":
        return void ended.push(report)
      case "Flushed":
        return void flushed.push(report)
      case "Shown":
        return void shown.push(report)
      case "Violation":
        return void seen.push(report.message)
      case "Ready":
        slowest = Math.max(slowest, report.millis)
    }
  }

  const untrue = ({ emitted, events, runs }: State) => [
    ...seen,
    ...[...started].filter((id) => !runs.has(id)).map((id) => `${id} was started, and is not there`),
    ...ended
      .filter(({ id, status }) => runs.get(id)?.status !== status)
      .map(({ id, status }) => `${id} was ${status}, and is ${runs.get(id)?.status}`),
    ...flushed
      .filter(({ attempt, id, n }) => emitted(id, attempt) < n)
      .map(
        ({ attempt, id, n }) =>
          `${n} events of attempt ${attempt} of ${id} were flushed, ${emitted(id, attempt)} are there`
      ),
    ...shown.flatMap(({ after, cursor, id, of, seq, type }) => {
      const event = events.get(cursor)
      if (event?.id !== id || event.seq !== seq || event.type !== type)
        return [`event ${seq} of ${id} was shown, and is not there`]
      const missed = of === "job" ? seq !== after + 1 : event.previous > after || cursor <= after
      return missed ? [`event ${seq} of ${id} (${cursor}) was shown after ${after} of ${of}`] : []
    })
  ]

  return { note, untrue, slowestStart: () => slowest }
}

/** Runs that a dead process left running, and that the next one did not mark as the table of ends says. */
export const unrecovered = (left: State, found: State, isReady: boolean): ReadonlyArray<string> =>
  [...left.runs.values()]
    .filter(({ status }) => status === "running")
    .flatMap(({ id, seq, stopping }) => {
      const next = found.event(id, seq + 1)?.type
      const right = stopping === 1 ? "job.cancelled" : "job.interrupted"
      const givenUp = next === undefined && !isReady
      return next === right || givenUp ? [] : [`${id} was left running, and then came ${next}, not ${right}`]
    })

/** What must not be left when all jobs were stopped. */
export const unfinished = ({ runs }: State): ReadonlyArray<string> =>
  [...runs.values()]
    .filter(({ status }) => !RunStatus.isTerminal(status))
    .map(({ id, status }) => `${id} is ${status} after everything was stopped`)
