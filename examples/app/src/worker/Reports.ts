/**
 * What the job of a report does. While it waits for an approval it holds no fiber and no permit, through any number of restarts.
 */
import { DateTime, Effect, Option } from "effect"
import { Orders } from "../Orders.ts"
import { Report } from "../Report.ts"

export const layer = Report.layer({
  maxJobs: 1,
  run: ({ config: { day }, emit, park, signal }) =>
    Effect.gen(function* () {
      const { totals } = yield* Orders
      const { cents, orders } = yield* totals(day)
      const approval = yield* signal("approve")
      // It follows from the configuration alone, so each attempt finds the same time.
      const until = DateTime.add(DateTime.unsafeMake(day), { days: 7 })
      if (Option.isNone(approval) && DateTime.lessThan(yield* DateTime.now, until)) {
        yield* emit({ type: "report.ready", payload: { orders, cents } })
        return yield* park({ reason: `the report of ${day} waits for approval`, signal: "approve", until })
      }
      return { orders, cents, approvedBy: Option.getOrNull(Option.map(approval, ({ by }) => by)) }
    })
})
