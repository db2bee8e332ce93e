/**
 * Requests to the nodes of a cluster, as a client sends them that has several addresses.
 */
import { JobId } from "charlotte"
import { Effect, Schema } from "effect"
import * as requests from "../../http/requests.js"
import type { Member } from "./members.js"

/** Nothing came back: the node refused the connection, or has closed it. */
export const lost = "lost"

export type Answer = requests.Answer | typeof lost

export const send = ({ http = "" }: Member, sent: requests.Sent): Effect.Effect<Answer> =>
  Effect.catchAllDefect(requests.send({ socketPath: http }, sent), () => Effect.succeed(lost))

/** The start of a job, which may be sent again. */
export const start = (idempotencyKey: string, millis: number): requests.Sent => ({
  method: "POST",
  path: "/api/v1/kinds/work/jobs",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ config: { millis, hasChild: false }, whenFull: "queue", idempotencyKey })
})

const Started = Schema.decodeSync(Schema.parseJson(Schema.Struct({ id: JobId.JobId })))

/** The job that was started. */
export const idOf = (text: string) => Started(text).id
