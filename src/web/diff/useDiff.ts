/**
 * The pages of a diff read so far, and whether there are newer changes.
 */
import { useSignal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { hub } from "../app/live.js"
import { type DiffFile, type DiffPage, read } from "./diffModel.js"

export interface ShownDiff {
  readonly pages: ReadonlyArray<DiffPage>
  readonly files: ReadonlyArray<DiffFile>
  readonly next: string | undefined
  readonly error: Error | undefined
  readonly isReading: boolean
  readonly isStale: boolean
  readonly readNext: () => void
  readonly reload: () => void
}

/** Events after which the diff may have grown. */
const changes = new Set(["task.completed", "unit.merged"])

export const useDiff = (id: string, unit: string | undefined, task: string | undefined): ShownDiff => {
  const pages = useSignal<ReadonlyArray<DiffPage>>([])
  const error = useSignal<Error | undefined>(undefined)
  const isReading = useSignal(false)
  const isStale = useSignal(false)
  const control = useRef(new AbortController())

  const load = async (after: string | undefined): Promise<void> => {
    control.current.abort()
    const { signal } = (control.current = new AbortController())
    isReading.value = true
    try {
      const page = await read(id, { unit, task, after }, signal)
      pages.value = after === undefined ? [page] : [...pages.value, page]
      error.value = undefined
    } catch (cause) {
      if (!signal.aborted) error.value = cause instanceof Error ? cause : new Error(String(cause))
    } finally {
      if (control.current.signal === signal) isReading.value = false
    }
  }
  const reload = (): void => {
    isStale.value = false
    void load(undefined)
  }

  useEffect(() => {
    pages.value = []
    reload()
    const stop = hub.subscribe((events) => {
      const isNews = events.some(
        (event) =>
          event.jobId === id &&
          changes.has(event.type) &&
          (unit === undefined || event.unit === unit) &&
          (task === undefined || String(event.task) === task)
      )
      if (isNews) isStale.value = true
    })
    return () => {
      stop()
      control.current.abort()
    }
  }, [id, unit, task])

  const all = pages.value
  const files = useMemo(() => all.flatMap((page) => page.files), [all])
  const next = all.at(-1)?.next
  return {
    pages: all,
    files,
    next,
    error: error.value,
    isReading: isReading.value,
    isStale: isStale.value,
    readNext: () => void load(next),
    reload
  }
}
