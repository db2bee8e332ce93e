/**
 * The user's actions on jobs of the list.
 */
import { signal } from "@preact/signals"
import * as api from "../api/jobs.js"
import type { ListedJob } from "../api/models.js"
import { isLive } from "../app/live.js"
import { during } from "../app/notices.js"
import * as format from "../../progress/format.js"
import { forEach, resumeText, retriedText, retryText, stopText } from "./bulk.js"
import type { RetryAll } from "./filter.js"
import type { Stop } from "./StopQuestion.js"

/** The stop that awaits confirmation. */
export const asked = signal<Stop | undefined>(undefined)

/** The retry of all matching jobs that awaits confirmation. */
export const askedToRetry = signal<RetryAll | undefined>(undefined)

export const askToStop = (jobs: ReadonlyArray<ListedJob>): void => {
  if (jobs.length > 0 && isLive()) asked.value = { jobs }
}

export const askToStopAll = (kind: string | undefined): void => {
  if (isLive()) asked.value = { kind }
}

export const stop = (what: Stop): void => {
  if ("jobs" in what) {
    const ids = what.jobs.map(({ id }) => id)
    void during(`Stopping ${format.count(ids.length, "job")} …`, async () =>
      stopText(await forEach(ids, (id) => api.stop(id)))
    )
    return
  }
  void during("Stopping all jobs …", async () => stopText({ done: await api.stopAll(what.kind), errors: [] }))
}

export const resume = (jobs: ReadonlyArray<ListedJob>): void => {
  if (jobs.length === 0 || !isLive()) return
  const ids = jobs.map(({ id }) => id)
  void during(`Resuming ${format.count(ids.length, "job")} …`, async () =>
    resumeText(await forEach(ids, (id) => api.resume(id)))
  )
}

export const retry = (jobs: ReadonlyArray<ListedJob>): void => {
  if (jobs.length === 0 || !isLive()) return
  const ids = jobs.map(({ id }) => id)
  void during(`Retrying ${format.count(ids.length, "job")} …`, async () =>
    retryText(await forEach(ids, (id) => api.retry(id)))
  )
}

/** Retries all jobs that match, however many. */
export const retryAll = ({ filter, kinds }: RetryAll): void => {
  void during("Retrying jobs …", async () => {
    let [retried, refused] = [0, 0]
    let problem: string | undefined
    for (const kind of kinds) {
      for (let before: string | undefined, isLeft = true; isLeft;) {
        const slice = await api.retryMany(filter, { kind, before })
        retried += slice.retried
        refused += slice.refused
        problem ??= slice.problem
        before = slice.last
        isLeft = before !== undefined
      }
    }
    return retriedText({ retried, refused, problem })
  })
}
