/**
 * The requests about kinds of jobs.
 */
import { array, type Decoded, number, optional, string, struct, time } from "./decode.js"
import { send, sendJson } from "./request.js"

const root = "/api/v1/kinds"

export const servedKind = struct({
  kind: string,
  active: number,
  pending: number,
  maxJobs: number,
  counts: struct({
    pending: number,
    running: number,
    interrupted: number,
    parked: number,
    completed: number,
    failed: number,
    cancelled: number
  }),
  paused: optional(struct({ at: time, by: optional(string) }))
})
export type ServedKind = Decoded<typeof servedKind>

export const list = (signal: AbortSignal): Promise<ReadonlyArray<ServedKind>> =>
  sendJson(root, array(servedKind), { signal })

/** `by` is an unverified name. */
export const pause = async (kind: string, isPaused: boolean): Promise<void> => {
  await send(`${root}/${encodeURIComponent(kind)}/pause?by=page`, { method: isPaused ? "POST" : "DELETE" })
}

/** `default`: the limit of the configuration. */
export const limit = async (kind: string, maxJobs: number | "default"): Promise<void> => {
  await send(`${root}/${encodeURIComponent(kind)}/limit`, { method: "POST", body: { maxJobs, by: "page" } })
}
