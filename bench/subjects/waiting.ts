/**
 * A workflow that does one thing, and then waits for an answer.
 */
import { Activity, DurableDeferred, Workflow } from "@effect/workflow"
import { Effect, Schema } from "effect"

export const Waiting = Workflow.make({
  name: "Waiting",
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id
})

const Answer = DurableDeferred.make("answer")

export const WaitingLayer = Waiting.toLayer(() =>
  Effect.zipRight(Activity.make({ name: "ask", execute: Effect.void }), DurableDeferred.await(Answer))
)

export const answer = (executionId: string) =>
  DurableDeferred.succeed(Answer, {
    token: DurableDeferred.tokenFromExecutionId(Answer, { workflow: Waiting, executionId }),
    value: undefined
  })
