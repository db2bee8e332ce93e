/**
 * The user's actions on jobs of the list.
 */
import { signal } from "@preact/signals"
import * as api from "../api/jobs.js"
import type { ListedJob } from "../api/models.js"
import { isLive } from "../app/live.js"
import { during } from "../app/notices.js"
import * as format from "../../progress/format.js"
import { forEach, resumeText, stopText } from "./bulk.js"

/** Some jobs, or all jobs of a kind, or all jobs. */
export type Stop = { readonly jobs: ReadonlyArray<ListedJob> } | { readonly kind: string | undefined }

/** The stop that awaits confirmation. */
export const asked = signal<Stop | undefined>(undefined)

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
