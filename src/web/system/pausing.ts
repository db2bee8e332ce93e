/**
 * The user's actions on kinds of jobs.
 */
import * as api from "../api/kinds.js"
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
