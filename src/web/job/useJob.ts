/**
 * The job that a view shows: its record, and the model folded from its events as they arrive.
 */
import { type ReadonlySignal, useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import * as jobs from "../api/jobs.js"
import type { Job, JobEvent } from "../api/models.js"
import { hub, useLoaded } from "../app/live.js"
import { watch } from "../events/jobEvents.js"
import { reportPause } from "../api/reportPause.js"
import { applyEvent } from "../../progress/applyEvent.js"
import { ofRecord } from "../../progress/applyPlan.js"
import * as JobModel from "../../progress/JobModel.js"

export interface Shown {
  readonly job: Job
  /** Changes in place; `version` increases with each change. */
  readonly model: JobModel.JobModel
  readonly version: number
  readonly events: ReadonlyArray<JobEvent>
  /** Whether the events have not arrived yet, or cannot be read. */
  readonly isPartial: boolean
  readonly reload: () => void
}

export interface Found {
  readonly shown: Shown | undefined
  readonly error: Error | undefined
}

/** Whether an event changes the record, apart from the steps, which the model has, too. */
const changesRecord = ({ type }: JobEvent): boolean => type.startsWith("job.") && type !== "job.step"

export const useJob = (id: string): Found => {
  const record = useLoaded(id, (signal) => jobs.get(id, signal))
  const events: ReadonlySignal<ReadonlyArray<JobEvent>> & { value: ReadonlyArray<JobEvent> } = useSignal([])
  const version = useSignal(0)
  const isPartial = useSignal(true)
  const model = useRef(JobModel.make())
  const error = useSignal<Error | undefined>(undefined)

  useEffect(() => {
    const watched = watch(hub, id)
    const stop = watched.events.subscribe((all) => {
      if (all === undefined) return
      // Events are read again after a reconnect; known events are not applied twice.
      if (model.current.seq > (all.at(-1)?.seq ?? 0)) model.current = JobModel.make()
      const isFirst = isPartial.peek()
      const news = all.slice(firstAfter(all, model.current.seq))
      for (const event of news) applyEvent(model.current, event)
      events.value = all
      isPartial.value = false
      version.value += 1
      if (!isFirst && news.some(changesRecord)) record.reload()
    })
    const stopErrors = watched.error.subscribe((cause) => (error.value = cause))
    return () => {
      stop()
      stopErrors()
      watched.close()
    }
  }, [id])

  const job = record.value.value
  // A read that takes long is not superseded: the next one is due some time after it.
  const pause = job && reportPause([job])
  useEffect(() => {
    if (pause === undefined) return
    const timer = setTimeout(record.reload, pause)
    return () => clearTimeout(timer)
  }, [job, pause])

  if (job === undefined) return { shown: undefined, error: record.error.value }
  return {
    shown: {
      job,
      model: isPartial.value || model.current.units.size === 0 ? withRecord(model.current, job) : model.current,
      version: version.value,
      events: events.value,
      isPartial: isPartial.value,
      reload: record.reload
    },
    error: error.value
  }
}

/** Uses the record's units while there are no events of tasks, for example before they have arrived. */
const withRecord = (model: JobModel.JobModel, job: Job): JobModel.JobModel =>
  job.units.length === 0 ? model : { ...ofRecord(job), phases: model.phases, from: model.from, to: model.to }

/** Events are numbered from 1, without gaps. */
const firstAfter = (events: ReadonlyArray<JobEvent>, seq: number): number => {
  const start = events[0]?.seq ?? 1
  return Math.max(0, seq + 1 - start)
}
