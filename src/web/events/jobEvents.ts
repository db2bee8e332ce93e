/**
 * All events of one job: the recorded ones, then live ones, without gaps or repeats.
 */
import { type ReadonlySignal, signal } from "@preact/signals"
import { array, struct } from "../api/decode.js"
import { type JobEvent, jobEvent } from "../api/models.js"
import { sendJson } from "../api/request.js"
import type { Hub } from "./Hub.js"

const exported = struct({ events: array(jobEvent) })

const recorded = async (id: string, signal: AbortSignal): Promise<ReadonlyArray<JobEvent>> =>
  (await sendJson(`/api/v1/jobs/${id}/export`, exported, { signal })).events

/** Appends the next events; none if some are missing in between. */
export const append = (
  events: ReadonlyArray<JobEvent>,
  more: ReadonlyArray<JobEvent>
): ReadonlyArray<JobEvent> | undefined => {
  const last = events.at(-1)?.seq ?? 0
  const next = more.filter(({ seq }) => seq > last)
  return next.every(({ seq }, at) => seq === last + 1 + at)
    ? next.length === 0
      ? events
      : [...events, ...next]
    : undefined
}

export interface JobEvents {
  /** In order of their `seq`; undefined until they are read. */
  readonly events: ReadonlySignal<ReadonlyArray<JobEvent> | undefined>
  /** Why they could not be read. */
  readonly error: ReadonlySignal<Error | undefined>
  readonly close: () => void
}

export const watch = (hub: Hub, id: string, read = recorded): JobEvents => {
  const events = signal<ReadonlyArray<JobEvent> | undefined>(undefined)
  const error = signal<Error | undefined>(undefined)
  /** Events that arrive while the recorded ones are read. */
  let waiting: Array<JobEvent> = []
  let control = new AbortController()

  const load = async (): Promise<void> => {
    control.abort()
    const { signal } = (control = new AbortController())
    events.value = undefined
    waiting = []
    try {
      const found = await read(id, signal)
      if (signal.aborted) return
      events.value = append(found, waiting) ?? found
      error.value = undefined
    } catch (cause) {
      if (!signal.aborted) error.value = cause instanceof Error ? cause : new Error(String(cause))
    }
  }

  const end = hub.subscribe((batch) => {
    const ours = batch.filter(({ jobId }) => jobId === id)
    if (ours.length === 0) return
    if (events.value === undefined) waiting.push(...ours)
    else {
      const more = append(events.value, ours)
      if (more === undefined) void load()
      else events.value = more
    }
  })
  const ended = hub.epoch.subscribe((epoch) => {
    if (epoch > 0) void load()
  })

  return {
    events,
    error,
    close: () => {
      control.abort()
      end()
      ended()
    }
  }
}
