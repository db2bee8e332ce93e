/**
 * The steps of jobs over a session and a writer.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { Superseded } from "../../domain/errors.js"
import type { StepStore } from "../port/RunStoreService.js"
import * as Page from "../rules/Page.js"
import * as RunTransition from "../rules/RunTransition.js"
import { current } from "./Batch.js"
import type { Session } from "./Session.js"
import * as steps from "./steps.js"
import type { Writer } from "./Writer.js"

/** Characters of a value that weigh as much as an event. */
const charactersPerRow = 4_096

export const make = ({
  session,
  write
}: {
  readonly session: Session
  readonly write: Writer["write"]
}): StepStore => ({
  record: (step) => {
    const { attempt, jobId, value = "" } = step
    return write({
      operation: "record a step",
      lane: "slow",
      weight: 1 + Math.floor(value.length / charactersPerRow),
      about: jobId,
      body: (batch): Effect.Effect<void, Superseded | SqlError> =>
        Effect.gen(function* () {
          const head = current(batch, jobId, attempt)
          if (head === undefined) return yield* new Superseded({ jobId, attempt })
          if (head.state.crashes > 0) yield* batch.resetCrashes(jobId, head)
          yield* steps.insert(yield* batch.connection, step)
          batch.append(jobId, [RunTransition.stepEvent(step)])
        })
    })
  },
  recall: (chain) => session.read("read steps", (connection) => steps.recall(connection, chain)),
  list: (query) =>
    Effect.flatMap(Page.limit("list steps", query), (limit) =>
      session.read("list steps", (connection) => steps.list(connection, { ...query, limit }))
    ),
  latest: (query) =>
    Effect.flatMap(Page.limit("list steps", query), (limit) =>
      session.read("list steps", (connection) => steps.latest(connection, { ...query, limit }))
    ),
  get: (query) => session.read("read a step", (connection) => steps.get(connection, query))
})
