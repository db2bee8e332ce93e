/**
 * The list of the jobs that match a filter, for as long as a view shows it.
 */
import { useEffect, useRef } from "preact/hooks"
import { useSignal } from "@preact/signals"
import * as jobs from "../api/jobs.js"
import type { JobEvent } from "../api/models.js"
import { hub } from "../app/live.js"
import { eventText, isKnown, placeOf } from "../../progress/eventText.js"
import { isOverview, type Shown, toFilter } from "./filter.js"
import type { Line } from "./lastLine.js"
import { type JobList, make, type Source } from "./JobList.js"

export interface Lists {
  /** The requested list or, until it is read, the previous one. */
  readonly shown: JobList | undefined
  readonly isOld: boolean
}

/** Lines about a unit or task begin with its name. */
const lineOf = (event: JobEvent): Line => {
  const { text: what, tone } = eventText(event)
  const text = isKnown(event.type) ? what : `${event.type} ${what}`
  const where = placeOf(event)
  return { text: where === "" ? text : `${where} · ${text}`, tone }
}

const source: Source = { hub, list: jobs.list, get: jobs.get, lineOf }

export const useJobList = (filter: Shown): Lists => {
  const key = JSON.stringify(filter)
  const current = useSignal<JobList | undefined>(undefined)
  const before = useRef<JobList | undefined>(undefined)
  useEffect(() => {
    const list = make(source, toFilter(filter), isOverview(filter))
    current.value = list
    return () => {
      list.close()
      before.current = list.page.peek() === undefined ? before.current : list
    }
  }, [key])
  const list = current.value
  const isRead = list?.page.value !== undefined || list?.error.value !== undefined
  return isRead ? { shown: list, isOld: false } : { shown: before.current ?? list, isOld: true }
}
