/**
 * The requests about the server as a whole.
 */
import { array, boolean, type Decoded, number, optional, string, struct, time } from "./decode.js"
import { sendJson } from "./request.js"

const latency = struct({ p50: number, p95: number, max: number })
export type Latency = Decoded<typeof latency>

const latencies = {
  wait: optional(latency),
  duration: optional(latency)
}

const minute = struct({ at: time, completed: number, failed: number, cancelled: number, ...latencies })
export type Minute = Decoded<typeof minute>

export const system = struct({
  capacity: optional(number),
  active: number,
  pending: number,
  parked: number,
  oldestPending: optional(number),
  overdue: optional(array(string)),
  since: time,
  ...latencies,
  minutes: array(minute)
})
export type System = Decoded<typeof system>

export const agent = struct({
  name: string,
  installed: boolean,
  inUse: number,
  limit: optional(struct({ reason: string, until: time, refusals: number })),
  refused: optional(string)
})
export type Agent = Decoded<typeof agent>

export const get = (signal: AbortSignal): Promise<System> => sendJson("/api/v1/system", system, { signal })

export const agents = (signal: AbortSignal): Promise<ReadonlyArray<Agent>> =>
  sendJson("/api/v1/agents", array(agent), { signal })
