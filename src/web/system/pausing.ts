/**
 * The user's actions on kinds of jobs.
 */
import * as api from "../api/kinds.js"
import * as format from "../../progress/format.js"
import { during } from "../app/notices.js"

export const pause = (kind: string): Promise<void> =>
  during(`Pausing ${kind} …`, async () => {
    await api.pause(kind, true)
    return `Jobs of kind ${kind} are paused: none begins until the kind is unpaused`
  })

export const unpause = (kind: string): Promise<void> =>
  during(`Unpausing ${kind} …`, async () => {
    await api.pause(kind, false)
    return `Jobs of kind ${kind} begin again`
  })

export const limit = (kind: string, maxJobs: number | "default"): Promise<void> =>
  during(`Limiting ${kind} …`, async () => {
    await api.limit(kind, maxJobs)
    return maxJobs === "default"
      ? `Jobs of kind ${kind} have the limit of the configuration again`
      : `At most ${format.count(maxJobs, "job")} of kind ${kind} at once`
  })
