/**
 * The filter of the list of jobs, read from the address.
 */
import type { Filter } from "../api/jobs.js"
import type { RunStatus } from "../api/models.js"

/** In the order of the tabs. The first tab lists all. */
export const statuses = [
  "running",
  "pending",
  "parked",
  "interrupted",
  "failed",
  "completed",
  "cancelled"
] as const satisfies ReadonlyArray<RunStatus>

export interface Shown {
  readonly status: RunStatus | undefined
  readonly kind: string
  /** As typed: `team=web env=test`. */
  readonly label: string
  readonly text: string
  readonly before: string | undefined
}

export const pageSize = 50

export const parse = (query: URLSearchParams): Shown => ({
  status: statuses.find((status) => status === query.get("status")),
  kind: query.get("kind") ?? "",
  label: query.get("label") ?? "",
  text: query.get("q") ?? "",
  before: query.get("before") ?? undefined
})

/** One label for each word. A word without `=` is not complete yet. */
export const labelsOf = (text: string): ReadonlyArray<string> =>
  text.split(/\s+/).filter((word) => /^[^=]+=/.test(word))

export const toFilter = ({ before, kind, label, status, text }: Shown): Filter => ({
  status,
  kind: kind === "" ? undefined : kind,
  labels: labelsOf(label),
  // The server refuses longer searches.
  q: text.trim() === "" ? undefined : text.trim().slice(0, 200),
  before,
  limit: pageSize
})

/** Whether the list is the first page of all statuses, which starts with the jobs that need a person. */
export const isOverview = ({ before, status }: Shown): boolean => status === undefined && before === undefined

export const isFiltered = ({ kind, label, status, text }: Shown): boolean =>
  status !== undefined || kind !== "" || labelsOf(label).length > 0 || text.trim() !== ""
