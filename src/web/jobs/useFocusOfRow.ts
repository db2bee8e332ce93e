import type { RefObject } from "preact"
import { useLayoutEffect } from "preact/hooks"

/** Keeps the focus on a job while its row moves to another place, for example because the job has failed. */
export const useFocusOfRow = (area: RefObject<HTMLElement | null>): void => {
  const rowOf = (element: Element | null) => element?.closest<HTMLElement>("tr[data-job]")
  const focused = document.activeElement
  const job = rowOf(focused)?.dataset["job"]
  useLayoutEffect(() => {
    if (job === undefined || rowOf(document.activeElement)?.dataset["job"] === job) return
    const cell = focused instanceof HTMLInputElement ? "input" : "a[data-row]"
    area.current?.querySelector<HTMLElement>(`tr[data-job="${job}"] ${cell}`)?.focus({ preventScroll: true })
  })
}
