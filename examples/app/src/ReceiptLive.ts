/**
 * What the job of a receipt does.
 */
import { Effect, Schedule } from "effect"
import { Mailer } from "./Mailer.ts"
import { Receipt } from "./Receipt.ts"

/** After 1, 2, 4, … seconds. */
const retries = Schedule.intersect(Schedule.exponential("1 second"), Schedule.recurs(5))

export const layer = Receipt.layer({
  maxJobs: 4,
  run: ({ config: { order, to }, emit, id }) =>
    Effect.gen(function* () {
      const mailer = yield* Mailer
      // After a crash the job runs again: by the id of the job, the mail provider recognises the same message.
      yield* Effect.retry(mailer.send({ id, to, text: `thank you for order ${order}` }), retries)
      yield* emit({ type: "receipt.sent", payload: { to } })
      return { messageId: id }
    })
})
