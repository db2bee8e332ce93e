/**
 * A job as it is shown, encoded by hand. A hot path: whoever waits for a job asks for it again and again, and the schema of the
 * contract, which says the same, takes several times as long.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { DateTime } from "effect"
import type { Run } from "../../domain/Run.js"
import type { TaskRecord, UnitRecord, Work } from "../../domain/Work.js"
import type { Job } from "../contract/Api.js"

const time = (at: DateTime.Utc | undefined): string | undefined =>
  at === undefined ? undefined : DateTime.formatIso(at)

const unit = (unit: UnitRecord): typeof UnitRecord.Encoded => ({
  unit: unit.unit,
  position: unit.position,
  dependsOn: unit.dependsOn,
  state: unit.state,
  base: unit.base,
  commit: unit.commit,
  reason: unit.reason,
  startedAt: time(unit.startedAt),
  endedAt: time(unit.endedAt)
})

const task = (task: TaskRecord): typeof TaskRecord.Encoded => ({
  unit: task.unit,
  task: task.task,
  position: task.position,
  title: task.title,
  state: task.state,
  failures: task.failures,
  calls: task.calls,
  commit: task.commit,
  reason: task.reason,
  log: task.log,
  notes: task.notes,
  startedAt: time(task.startedAt),
  endedAt: time(task.endedAt)
})

/** As `Job` encodes it, once it is JSON: there, what is `undefined` is missing. */
export const encode = (run: Run, phase: Job["phase"], { tasks, units }: Work): typeof Job.Encoded => ({
  id: run.id,
  kind: run.kind,
  status: run.status,
  attempt: run.attempt,
  config: run.config,
  labels: run.labels,
  createdAt: DateTime.formatIso(run.createdAt),
  startedAt: time(run.startedAt),
  endedAt: time(run.endedAt),
  result: run.result,
  error: run.error && { kind: run.error.kind, error: run.error.error, cause: run.error.cause },
  phase,
  units: units.map(unit),
  tasks: tasks.map(task)
})

export const answer = (...job: Parameters<typeof encode>): HttpServerResponse.HttpServerResponse => {
  const json = JSON.stringify(encode(...job))
  // As a text, which goes out together with its head.
  return HttpServerResponse.raw(json, { contentType: "application/json", contentLength: Buffer.byteLength(json) })
}
