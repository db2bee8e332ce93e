/**
 * The requests about jobs.
 */
import type { SpendingLimits } from "../../domain/Cost.js"
import { array, string, struct } from "./decode.js"
import * as models from "./models.js"
import { send, sendJson } from "./request.js"

const root = "/api/v1"

export interface Filter {
  readonly kind?: string | undefined
  readonly status?: models.RunStatus | undefined
  readonly labels?: ReadonlyArray<string> | undefined
  readonly q?: string | undefined
  /** Only jobs that another job retries, or with `false` only the others. */
  readonly retried?: boolean | undefined
  /** Only failed children whose parents handle the failure, or with `false` only the others. */
  readonly handled?: boolean | undefined
  readonly before?: string | undefined
  readonly limit: number
}

export const list = (filter: Filter, signal?: AbortSignal): Promise<models.JobPage> => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...filter, labels: undefined }))
    if (value !== undefined && value !== "") query.set(name, String(value))
  for (const label of filter.labels ?? []) query.append("label", label)
  return sendJson(`${root}/jobs?${query}`, models.jobPage, signal === undefined ? {} : { signal })
}

export const get = (id: string, signal?: AbortSignal): Promise<models.Job> =>
  sendJson(`${root}/jobs/${id}`, models.job, signal === undefined ? {} : { signal })

/** A step with its value. The name is a parameter, since a URL cannot have a part `.` or `..`. */
export const step = (id: string, name: string, signal: AbortSignal): Promise<models.JobStep> =>
  sendJson(`${root}/jobs/${id}/steps/-?${new URLSearchParams({ name })}`, models.jobStep, { signal })

/** A page of the children of a job before a child, newest first. */
export const children = (id: string, before: string): Promise<ReadonlyArray<models.Child>> =>
  sendJson(`${root}/jobs/${id}/children?before=${before}`, array(models.child))

export const stop = (id: string, graceMillis?: number): Promise<models.StopReport> =>
  sendJson(
    `${root}/jobs/${id}/stop?by=page${graceMillis === undefined ? "" : `&grace=${graceMillis}`}`,
    models.stopReport,
    { method: "POST" }
  )

/** Stops the jobs of a kind, or all jobs. */
export const stopAll = (kind?: string): Promise<ReadonlyArray<models.StopReport>> =>
  sendJson(`${root}/jobs/stop`, array(models.stopReport), {
    method: "POST",
    body: { all: true, by: "page", ...(kind === undefined ? {} : { kind }) }
  })

/** Starts a job that lands what a job has done; returns its id. */
export const land = async (id: string): Promise<string> => {
  // A retried request after a lost response must not start a second job.
  const headers = { "idempotency-key": crypto.randomUUID() }
  const started = struct({ id: string })
  return (await sendJson(`${root}/jobs/${id}/land`, started, { method: "POST", body: {}, headers })).id
}

/** With limits, a job may spend as much in all from now on. */
export const resume = async (id: string, { tokens, usd }: SpendingLimits = {}): Promise<void> => {
  const limits = `${usd === undefined ? "" : `&usd=${usd}`}${tokens === undefined ? "" : `&tokens=${tokens}`}`
  await send(`${root}/jobs/${id}/resume?by=page${limits}`, { method: "POST" })
}

/** Without a priority or a start, that stays as it is. */
export const reschedule = async (
  id: string,
  { startAt, ...to }: { readonly priority?: number; readonly startAt?: number | "now" }
): Promise<void> => {
  const time = typeof startAt === "number" ? new Date(startAt).toISOString() : startAt
  await send(`${root}/jobs/${id}/reschedule`, {
    method: "POST",
    body: { ...to, by: "page", ...(time === undefined ? {} : { startAt: time }) }
  })
}

/** Retries a job. Returns the id of the new job, or of the job that retries it already. */
export const retry = async (id: string): Promise<string> =>
  (await sendJson(`${root}/jobs/${id}/retry?by=page`, struct({ id: string }), { method: "POST" })).id

/** Starts a job that retries one unit of a job of tasks, and the units that depend on it. Returns its id. */
export const retryUnit = async (id: string, config: object, unit: string): Promise<string> => {
  const headers = { "idempotency-key": crypto.randomUUID() }
  const body = { ...config, retryOf: id, units: [unit], fresh: undefined }
  const started = struct({ id: string })
  return (await sendJson(`${root}/jobs?whenFull=queue`, started, { method: "POST", body, headers })).id
}

/** Retries the next jobs of a kind that match, up to 200; `last` is the value of `before` for the others. */
export const retryMany = (
  { labels = [], q, status }: Pick<Filter, "labels" | "q" | "status">,
  { before, kind }: { readonly kind: string; readonly before: string | undefined }
): Promise<models.RetriedJobs> =>
  sendJson(`${root}/jobs/retry`, models.retriedJobs, {
    method: "POST",
    body: {
      kind,
      by: "page",
      ...(status === undefined ? {} : { status }),
      ...(q === undefined ? {} : { q }),
      ...(before === undefined ? {} : { before }),
      labels: Object.fromEntries(
        labels.map((label) => [label.slice(0, label.indexOf("=")), label.slice(label.indexOf("=") + 1)])
      )
    }
  })

/** `by` is an unverified name, shown beside the signal. */
export const signal = async (id: string, name: string, payload?: unknown): Promise<void> => {
  await send(`${root}/jobs/${id}/signals/${encodeURIComponent(name)}`, {
    method: "POST",
    body: { by: "page", ...(payload === undefined ? {} : { payload }) }
  })
}

export const approve = async (id: string, commit: string): Promise<void> => {
  await send(`${root}/jobs/${id}/approve`, { method: "POST", body: { commit, by: "page" } })
}

/** Without a unit, the job fails. */
export const reject = async (
  id: string,
  rejection: { readonly commit: string; readonly because: string; readonly unit: string | undefined }
): Promise<void> => {
  await send(`${root}/jobs/${id}/reject`, { method: "POST", body: { ...rejection, by: "page" } })
}

/** The unit is needed if several wait for an answer. */
export const answer = async (id: string, unit: string, text: string): Promise<void> => {
  await send(`${root}/jobs/${id}/answer`, { method: "POST", body: { unit, text, by: "page" } })
}

export const pin = async (id: string, isPinned: boolean): Promise<void> => {
  await send(`${root}/jobs/${id}/pin?by=page`, { method: isPinned ? "POST" : "DELETE" })
}

/** A piece of a log, or the whole log as it grows. */
export const log = (
  id: string,
  what: {
    readonly unit?: string | undefined
    readonly task?: number | undefined
    readonly file?: string | undefined
    readonly from?: number | undefined
    readonly to?: number | undefined
    readonly follow?: boolean | undefined
  },
  signal: AbortSignal
): Promise<Response> => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(what)) if (value !== undefined) query.set(name, String(value))
  return send(`${root}/jobs/${id}/logs?${query}`, { signal })
}
