/**
 * The keyboard shortcuts of the list. The focused row is the current one, so that a screen reader follows.
 */
import type { RefObject } from "preact"
import type { ListedJob } from "../api/models.js"
import { useKeys } from "../app/keys.js"
import { changeQuery } from "../router.js"
import * as actions from "./actions.js"
import { canResume, canStop } from "./bulk.js"
import { type Shown, statuses } from "./filter.js"
import { seen } from "./seen.js"
import type { Selection } from "./useSelection.js"

export interface Options {
  readonly area: RefObject<HTMLElement | null>
  readonly selection: Selection
  readonly jobs: ReadonlyArray<ListedJob>
  readonly next: string | undefined
  readonly filter: Shown
}

const tabs = [undefined, ...statuses]

export const useJobKeys = ({ area, filter, jobs, next, selection }: Options): void => {
  const selected = selection.ids
  const links = (): ReadonlyArray<HTMLElement> => [
    ...(area.current?.querySelectorAll<HTMLElement>("a[data-row]") ?? [])
  ]

  const currentId = (): string | undefined =>
    document.activeElement?.closest<HTMLElement>("tr[data-job]")?.dataset["job"]

  const move = (by: number): void => {
    const all = links()
    const at = all.findIndex((link) => link.closest("tr") === document.activeElement?.closest("tr"))
    const to = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))
    all[to]?.focus()
    all[to]?.scrollIntoView({ block: "nearest" })
  }

  /** The selected jobs, or else the current one. */
  const chosen = (): ReadonlyArray<ListedJob> => {
    const id = currentId()
    return selected.value.size > 0 ? selection.jobs : jobs.filter((job) => job.id === id)
  }

  const toggle = (): void => {
    const id = currentId()
    if (id === undefined) return
    const next = new Set(selected.value)
    if (!next.delete(id)) next.add(id)
    selected.value = next
  }

  const tab = (by: number): void => {
    const at = tabs.indexOf(filter.status) + by
    if (at >= 0 && at < tabs.length) changeQuery({ status: tabs[at], retried: undefined, before: undefined })
  }

  const focus = (id: string): void => {
    const field = document.getElementById(id)
    if (!(field instanceof HTMLInputElement)) return
    field.focus()
    field.select()
  }

  const resume = (): void => {
    actions.resume(chosen().filter(canResume))
    selection.release()
  }

  useKeys("Jobs", [
    { keys: "j", label: "Next job", run: () => move(1) },
    { keys: "k", label: "Previous job", run: () => move(-1) },
    { keys: "ArrowDown", label: "Next job", run: () => move(1) },
    { keys: "ArrowUp", label: "Previous job", run: () => move(-1) },
    { keys: "Enter", label: "Open the job", run: () => links()[0]?.focus() },
    { keys: "x", label: "Select the job", run: toggle },
    { keys: "A", label: "Select all that match", run: selection.selectAll },
    { keys: "s", label: "Stop the job, or those selected", run: () => actions.askToStop(chosen().filter(canStop)) },
    { keys: "r", label: "Resume the job, or those selected", run: resume },
    { keys: "m", label: "Mark failed ones as seen", run: () => seen.add(chosen().map(({ id }) => id)) },
    { keys: "/", label: "Search", run: () => focus("filter-q") },
    { keys: "l", label: "Filter by label", run: () => focus("filter-label") },
    { keys: "[", label: "Previous status", run: () => tab(-1) },
    { keys: "]", label: "Next status", run: () => tab(1) },
    { keys: "n", label: "Older jobs", run: () => next !== undefined && changeQuery({ before: next }) },
    { keys: "p", label: "Newest jobs", run: () => changeQuery({ before: undefined }) },
    { keys: "Escape", label: "Select none", run: selection.clear }
  ])
}
