/**
 * What the jobs that ended on each of the last days have cost.
 */
import * as jobs from "../api/jobs.js"
import * as costs from "../../progress/cost.js"
import * as format from "../../progress/format.js"
import * as spent from "../../progress/spent.js"

/** How many days are shown: those on which something was spent. */
const mostDays = 7

/** How many jobs of each status are read, the newest first, so that a long history costs no more. */
const mostJobs = 200

export interface Costs {
  readonly days: ReadonlyArray<spent.OfDay>
  /** Whether more jobs may have ended on these days than were read. */
  readonly isPartial: boolean
}

export const read = async (signal: AbortSignal): Promise<Costs> => {
  const pages = await Promise.all(
    (["completed", "failed", "cancelled"] as const).map((status) => jobs.list({ status, limit: mostJobs }, signal))
  )
  const ended = pages.flatMap((page) => page.jobs)
  const days = spent.byDay(ended, format.day).slice(0, mostDays)
  const oldest = days.at(-1)?.day ?? ""
  const isPartial = pages.some((page) => {
    const last = page.jobs.at(-1)
    // Most of the jobs that were started before that day have also ended before it.
    return page.next !== undefined && last !== undefined && format.day(last.createdAt) >= oldest
  })
  return { days, isPartial }
}

export const Costs = ({ costs: { days, isPartial } }: { readonly costs: Costs }) => (
  <section aria-labelledby="costs-title">
    <h2 id="costs-title">
      Cost, by day <span class="faint">an estimate{isPartial && ", of the latest jobs"}</span>
    </h2>
    <table class="system-table">
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col" class="number">
            Jobs
          </th>
          <th scope="col" class="number">
            Money
          </th>
          <th scope="col" class="number">
            Tokens
          </th>
        </tr>
      </thead>
      <tbody>
        {days.map(({ cost, day, jobs }) => (
          <tr key={day} title={costs.long(cost)}>
            <th scope="row">{day}</th>
            <td class="number">{jobs}</td>
            <td class="number">{cost.usd === undefined ? <span class="faint">–</span> : costs.short(cost)}</td>
            <td class="number">{costs.tokensText(costs.tokens(cost))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
)
