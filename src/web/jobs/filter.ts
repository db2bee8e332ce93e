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
  /** Whether another job retries them; either if undefined. */
  readonly retried: boolean | undefined
  readonly before: string | undefined
}

export const pageSize = 50

export const parse = (query: URLSearchParams): Shown => ({
  status: statuses.find((status) => status === query.get("status")),
  kind: query.get("kind") ?? "",
  label: query.get("label") ?? "",
  text: query.get("q") ?? "",
  retried: query.has("retried") ? query.get("retried") === "true" : undefined,
  before: query.get("before") ?? undefined
})

/** One label for each word. A word without `=` is not complete yet. */
export const labelsOf = (text: string): ReadonlyArray<string> =>
  text.split(/\s+/).filter((word) => /^[^=]+=/.test(word))

export const toFilter = ({ before, kind, label, retried, status, text }: Shown): Filter => ({
  status,
  kind: kind === "" ? undefined : kind,
  labels: labelsOf(label),
  // The server refuses longer searches.
  q: text.trim() === "" ? undefined : text.trim().slice(0, 200),
  retried,
  before,
  limit: pageSize
})

/** Whether the list is the first page of all statuses, which starts with the jobs that need a person. */
export const isOverview = ({ before, status }: Shown): boolean => status === undefined && before === undefined

export const isFiltered = ({ kind, label, retried, status, text }: Shown): boolean =>
  status !== undefined || retried !== undefined || kind !== "" || labelsOf(label).length > 0 || text.trim() !== ""

/** The jobs that a filter selects and that can be retried. */
export interface RetryAll {
  readonly filter: Filter
  /** A retry of many jobs concerns one kind. */
  readonly kinds: ReadonlyArray<string>
}

/** Undefined unless the filter selects only failed or only cancelled jobs, and some are listed. `kinds` are their kinds. */
export const retryAllOf = (shown: Shown, kinds: Iterable<string>): RetryAll | undefined => {
  const of = [...new Set(kinds)]
  const isRetriable = (shown.status === "failed" || shown.status === "cancelled") && shown.retried !== true
  return isRetriable && of.length > 0 ? { filter: toFilter({ ...shown, before: undefined }), kinds: of } : undefined
}

/** The address of a filter, without the page that is shown. */
export const toQuery = ({ kind, label, retried, status, text }: Shown): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ status, retried, kind, label, q: text }))
    if (value !== undefined && value !== "") query.set(name, String(value))
  return query.toString()
}

/** `failed, not retried, email, team=web, “login”`: a filter in words. */
export const nameOf = ({ kind, label, retried, status, text }: Shown): string =>
  [
    status ?? "",
    retried === undefined ? "" : retried ? "retried" : "not retried",
    kind,
    label,
    text === "" ? "" : `“${text}”`
  ]
    .filter((part) => part !== "")
    .join(", ")

/** How many ended jobs of a kind are counted at most. */
const counted = 1_000

export interface Count {
  readonly jobs: number
  /** Whether there may be more. */
  readonly isMore: boolean
}

export type Counts = { readonly [S in RunStatus]: Count }

/** The number of jobs in each status, as far as a filter of kinds goes; unknown with other filters. */
export const countsOf = (
  { kind, label, text }: Shown,
  kinds: ReadonlyArray<{ readonly kind: string; readonly counts: { readonly [S in RunStatus]: number } }> | undefined
): Counts | undefined => {
  if (kinds === undefined || labelsOf(label).length > 0 || text.trim() !== "") return undefined
  const shown = kinds.filter((each) => kind === "" || each.kind === kind)
  const count = (status: RunStatus, most = Number.POSITIVE_INFINITY): Count => {
    const jobs = shown.reduce((sum, { counts }) => sum + counts[status], 0)
    return { jobs: Math.min(jobs, most), isMore: jobs >= most }
  }
  return {
    running: count("running"),
    pending: count("pending"),
    parked: count("parked"),
    interrupted: count("interrupted"),
    failed: count("failed", counted),
    completed: count("completed", counted),
    cancelled: count("cancelled", counted)
  }
}
