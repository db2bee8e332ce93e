/**
 * Starts reports, and passes approvals on to them.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiError from "@effect/platform/HttpApiError"
import { Runs } from "charlotte"
import { Effect } from "effect"
import { Report } from "../Report.ts"
import { Api, Person } from "./Api.ts"

export const layer = HttpApiBuilder.group(Api, "reports", (handlers) =>
  Effect.gen(function* () {
    const reports = yield* Report.Producer
    const runs = yield* Runs.Runs
    return handlers
      .handle("start", ({ path: { day } }) =>
        // One report a day, however many requests there are.
        reports.start({ day }, { idempotencyKey: day }).pipe(
          Effect.map((job) => ({ job })),
          Effect.catchAll((error) => (error._tag === "QueueFull" ? Effect.fail(error) : Effect.die(error)))
        )
      )
      .handle("approve", ({ path: { day } }) =>
        Effect.gen(function* () {
          const { by, can } = yield* Person
          if (can !== "act") return yield* new HttpApiError.Forbidden()
          const [report] = yield* Effect.orDie(runs.list({ kind: Report.kind, labels: { day }, limit: 1 }))
          if (report === undefined) return yield* new HttpApiError.NotFound()
          yield* Effect.catchAll(reports.signal(report.id, "approve", { by }), (error) =>
            error._tag === "JobEnded" ? Effect.fail(error) : Effect.die(error)
          )
        })
      )
  })
)
