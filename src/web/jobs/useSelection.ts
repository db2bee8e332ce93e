/**
 * The jobs that the user has selected: listed ones, or all that match the filter.
 */
import { type Signal, useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import * as api from "../api/jobs.js"
import type { ListedJob } from "../api/models.js"
import { during } from "../app/notices.js"
import * as format from "../../progress/format.js"
import { type Shown, toFilter } from "./filter.js"

/** As many as the server lists at once. */
export const mostSelected = 1_000

export interface Selection {
  readonly ids: Signal<ReadonlySet<string>>
  readonly jobs: ReadonlyArray<ListedJob>
  /** Whether `selectAll` has selected them. */
  readonly isAll: boolean
  /** Selects all jobs that match the filter, or the newest of them. */
  readonly selectAll: () => void
  readonly clear: () => void
  /** To be called after an action: of jobs that are not listed, no one sees what has become. */
  readonly release: () => void
}

export const useSelection = (filter: Shown, listed: ReadonlyArray<ListedJob>): Selection => {
  const ids = useSignal<ReadonlySet<string>>(new Set())
  const further = useSignal<ReadonlyArray<ListedJob>>([])
  const clear = (): void => {
    ids.value = new Set()
    further.value = []
  }
  const key = JSON.stringify(filter)
  const latest = useRef<string | undefined>(undefined)
  useLayoutEffect(() => {
    latest.current = key
    clear()
    return () => (latest.current = undefined)
  }, [key])
  const known = new Set(listed.map(({ id }) => id))
  return {
    ids,
    jobs: [...listed, ...further.value.filter(({ id }) => !known.has(id))].filter(({ id }) => ids.value.has(id)),
    isAll: further.value.length > 0,
    selectAll: () =>
      void during("Selecting …", async () => {
        const { jobs, next } = await api.list({ ...toFilter(filter), before: undefined, limit: mostSelected })
        // The user may have chosen another filter meanwhile.
        if (latest.current !== key) return "Nothing selected: the filter has changed"
        further.value = jobs
        ids.value = new Set(jobs.map(({ id }) => id))
        return `${next === undefined ? "All" : "The newest"} ${format.count(jobs.length, "job")} selected`
      }),
    clear,
    release: () => {
      if (further.value.length > 0) clear()
    }
  }
}
