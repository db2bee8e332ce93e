/**
 * What the job of a receipt does.
 */
import { Effect } from "effect"
import { Receipt } from "../Receipt.ts"
import { Mailer } from "./Mailer.ts"

export const layer = Receipt.layer({
  maxJobs: 4,
  // After about 1, 2, 4, … seconds, at last every minute, for about a day. Attempts are counted in the database, not in this process.
  retry: {
    times: 1_000,
    while: ({ _tag }) => _tag === "ProviderDown",
    delay: { base: "1 second", max: "1 minute" }
  },
  timeout: "30 seconds",
  run: ({ config: { cents, order, to }, id }) =>
    Effect.gen(function* () {
      const { send } = yield* Mailer
      // The worker may be killed once the message is sent, and then sends it again: the provider knows it by the id of the job.
      yield* send({ id, to, text: `Thank you for order ${order} over ${(cents / 100).toFixed(2)} euros.` })
      return { messageId: id }
    })
})
