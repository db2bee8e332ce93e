/**
 * The jobs of all kinds, newest first, below the jobs that need a person.
 */
import { useComputed, useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { isMounted } from "../address.js"
import type { ListedJob } from "../api/models.js"
import { changeQuery, toJobs } from "../router.js"
import { BulkBar } from "./BulkBar.js"
import { countsOf, isFiltered, isOverview, parse } from "./filter.js"
import { Filters } from "./Filters.js"
import type { JobList } from "./JobList.js"
import { JobTable } from "./JobTable.js"
import { kinds, labels, withLabels } from "./known.js"
import { PausedKinds } from "./PausedKinds.js"
import { choose, isWaiting, most } from "../../progress/needsPerson.js"
import { seen } from "./seen.js"
import { useTitle } from "../ui/useTitle.js"
import { useJobKeys } from "./useJobKeys.js"
import { useJobList } from "./useJobList.js"
import { useFocusOfRow } from "./useFocusOfRow.js"
import { useKinds } from "./useKinds.js"
import { mostSelected, useSelection } from "./useSelection.js"

const Empty = ({ filtered }: { readonly filtered: boolean }) => (
  <section class="empty">
    {filtered ? (
      <>
        <h2>No job matches</h2>
        <p>
          <a href={toJobs()}>Show all jobs</a>
        </p>
      </>
    ) : (
      <>
        <h2>No jobs yet</h2>
        {!isMounted && (
          <>
            <p>Write a first task into a repository of yours, and see how it is started:</p>
            <p>
              <code class="command">charlotte init</code>
            </p>
            <p>Start the tasks in a directory:</p>
            <p>
              <code class="command">charlotte start tasks</code>
            </p>
          </>
        )}
      </>
    )}
  </section>
)

interface PagerProps {
  readonly before: string | undefined
  readonly next: string | undefined
  readonly isOld: boolean
}

const Pager = ({ before, isOld, next }: PagerProps) =>
  before === undefined && next === undefined ? null : (
    <nav class="pager" aria-label="Pages">
      {before !== undefined && (
        <button type="button" onClick={() => changeQuery({ before: undefined })}>
          Newest
        </button>
      )}
      {next !== undefined && (
        <button type="button" disabled={isOld} onClick={() => changeQuery({ before: next })}>
          Older
        </button>
      )}
    </nav>
  )

export const JobsView = ({ query }: { readonly query: URLSearchParams }) => {
  const filter = parse(query)
  const { isOld, shown } = useJobList(filter)
  const area = useRef<HTMLDivElement>(null)

  const page = shown?.page.value
  const { urgent, waiting } = useUrgent(shown)
  const plus = shown?.isMoreWaiting.value === true ? "+" : ""
  const isOpen = useSignal(false)
  const above = isOverview(filter) ? urgent.slice(0, isOpen.value ? undefined : most) : []
  const quiet = isOverview(filter) ? waiting : []
  const first = new Set([...above, ...quiet].map(({ id }) => id))
  const rest = page?.jobs.filter(({ id }) => !first.has(id)) ?? []
  const all = [...above, ...quiet, ...rest]
  const selection = useSelection(filter, all)
  const selected = selection.ids
  const isLast = page?.next === undefined && filter.before === undefined
  const isMore = selection.jobs.length > 0 && !selection.isAll && (!isLast || selection.jobs.length < all.length)
  // The list of the previous filter is shown until the new one is read: the page after it belongs to the previous filter.
  useJobKeys({ area, selection, jobs: all, next: isOld ? undefined : page?.next, filter })
  useFocusOfRow(area)

  useTitle(urgent.length === 0 ? "Jobs · Charlotte" : `(${urgent.length}${plus}) Jobs · Charlotte`)
  useEffect(() => {
    kinds.value = new Set([...kinds.peek(), ...all.map(({ kind }) => kind)])
    labels.value = withLabels(labels.peek(), all)
  }, [page])

  const served = useKinds(page)
  const counts = countsOf(filter, served.kinds)
  const count = filter.status === undefined || filter.retried !== undefined ? undefined : counts?.[filter.status]
  const total = isLast
    ? all.length
    : count === undefined || count.isMore || count.jobs > mostSelected
      ? undefined
      : count.jobs
  const error = shown?.error.value
  return (
    <div ref={area} class="jobs-view" aria-busy={isOld}>
      <h1 class="visually-hidden">Jobs</h1>
      <Filters shown={filter} kinds={kinds} labels={labels} counts={counts} />
      <BulkBar jobs={all} isOld={isOld} selection={selection} filter={filter} isMore={isMore} total={total} />
      <PausedKinds {...served} />
      {error !== undefined && (
        <p class="problem" role="alert">
          {error.message}
        </p>
      )}
      {page === undefined && error === undefined && <p class="faint">Reading the jobs.</p>}
      {shown !== undefined && page !== undefined && (
        <>
          {above.length > 0 && (
            <section class="urgent" aria-labelledby="urgent-title">
              <h2 id="urgent-title">
                Needs a person{" "}
                <span class="faint">
                  {urgent.length}
                  {plus}
                </span>
                {/* No filter of the list has all of them, and no others. */}
                {urgent.length > most && (
                  <button
                    type="button"
                    class="quiet more"
                    aria-expanded={isOpen.value}
                    onClick={() => (isOpen.value = !isOpen.value)}
                  >
                    {isOpen.value ? "Fewer" : `${urgent.length - most} more`}
                  </button>
                )}
              </h2>
              <JobTable title="Needs a person" jobs={above} list={shown} selected={selected} hasCommands={!isMounted} />
            </section>
          )}
          {quiet.length > 0 && (
            <section aria-labelledby="waiting-title">
              <h2 id="waiting-title">
                Waiting <span class="faint">{quiet.length}</span>
              </h2>
              <JobTable title="Waiting" jobs={quiet} list={shown} selected={selected} />
            </section>
          )}
          {rest.length > 0 && (
            <section aria-labelledby="all-title">
              <h2 id="all-title" class={first.size > 0 ? "" : "visually-hidden"}>
                {filter.status ?? "All jobs"}
              </h2>
              <JobTable title={filter.status ?? "All jobs"} jobs={rest} list={shown} selected={selected} />
            </section>
          )}
          {all.length === 0 && <Empty filtered={isFiltered(filter)} />}
          <Pager before={filter.before} next={page.next} isOld={isOld} />
        </>
      )}
    </div>
  )
}

const none: ReadonlyArray<ListedJob> = []

const useUrgent = (list: JobList | undefined) => {
  const latest = useSignal(list)
  latest.value = list
  return useComputed(() => {
    const jobs = latest.value?.waiting.value ?? none
    const unseen = jobs.filter(({ id, status }) => status !== "failed" || !seen.all.value.has(id))
    return { urgent: choose(unseen), waiting: jobs.filter(isWaiting) }
  }).value
}
