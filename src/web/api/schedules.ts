/**
 * The requests about schedules.
 */
import { array, boolean, type Decoded, number, optional, string, struct, time } from "./decode.js"
import { send, sendJson } from "./request.js"

const root = "/api/v1/schedules"

export const schedule = struct({
  kind: string,
  name: string,
  cron: string,
  timeZone: string,
  nextTick: optional(time),
  lastTick: optional(time),
  lastRun: optional(string),
  pausedAt: optional(time),
  pausedBy: optional(string),
  skipped: number,
  lastSkipped: optional(struct({ tick: time, reason: string })),
  isLive: boolean
})
export type Schedule = Decoded<typeof schedule>

export type Named = Pick<Schedule, "kind" | "name">

const pathOf = ({ kind, name }: Named): string => `${root}/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`

export const list = (signal: AbortSignal): Promise<ReadonlyArray<Schedule>> =>
  sendJson(root, array(schedule), { signal })

/** Starts a job of the schedule; returns its id. */
export const run = async (named: Named): Promise<string> =>
  (await sendJson(`${pathOf(named)}/run?by=page`, struct({ id: string }), { method: "POST" })).id

/** `by` is an unverified name. */
export const pause = async (named: Named, isPaused: boolean): Promise<void> => {
  await send(`${pathOf(named)}/${isPaused ? "pause" : "unpause"}?by=page`, { method: "POST" })
}
