/**
 * The decisions about executions over a session and the writers.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { Decision, DecisionStore, Execution } from "../port/RunStoreService.js"
import { encodeWaiter, endedName, endedValue, waiterName } from "../rules/deciding.js"
import * as RunTransition from "../rules/RunTransition.js"
import type { Batch } from "./Batch.js"
import * as decisions from "./decisions.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import type { Lanes } from "./Lanes.js"
import type { Session } from "./Session.js"

type New = Parameters<DecisionStore["decide"]>[0]

/** The run of an execution, locked. Without one, none starts before this transaction has ended. */
const runOf = (batch: Batch, { key, kind }: Execution) =>
  Effect.gen(function* () {
    const find = Effect.flatMap(batch.connection, (connection) => idempotencyKeys.find(connection, kind, key))
    let found = yield* find
    if (Option.isNone(found)) {
      yield* batch.lockAdmission(kind)
      found = yield* find
    }
    if (Option.isNone(found)) return undefined
    const { id } = found.value
    const head = yield* batch.reload(id)
    return head && { id, head }
  })

/** Inserts a decision, and makes its run due if that has parked for decisions. */
const insert = (batch: Batch, decision: New): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function* () {
    const connection = yield* batch.connection
    const run = yield* runOf(batch, decision)
    if (!(yield* decisions.insert(connection, decision))) return false
    if (run === undefined) {
      yield* decisions.removeExpired(connection, decision.kind, decision.at)
      return true
    }
    const to = RunTransition.decided(run.head.state)
    if (to !== undefined) yield* batch.change(run.id, run.head, to)
    return true
  })

/** Decides, in the transaction that ends a run, about the executions that wait for its end. */
export const tellWaiters = (batch: Batch, jobId: JobId, kind: string, at: New["at"]): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const connection = yield* batch.connection
    for (const { key, waiter } of yield* decisions.waiters(connection, jobId)) {
      yield* insert(batch, { ...waiter, name: endedName({ kind, key }), value: endedValue, at })
    }
  })

export const make = ({
  lanes: { admit },
  session
}: {
  readonly lanes: Pick<Lanes, "admit">
  readonly session: Session
}): DecisionStore => ({
  decide: (decision) =>
    admit<boolean, never>({
      operation: "decide",
      lane: "fast",
      body: (batch) => insert(batch, decision)
    }),

  about: (execution) =>
    session.read("read decisions", (connection): Effect.Effect<ReadonlyArray<Decision>, SqlError> =>
      decisions.about(connection, execution)
    ),

  awaitEnd: ({ at, key, kind, of }) =>
    admit<boolean, never>({
      operation: "wait for the end of a job",
      lane: "fast",
      body: (batch) =>
        Effect.gen(function* () {
          const run = yield* runOf(batch, of)
          if (run === undefined || isTerminal(run.head.state.status)) return false
          const waiter = { kind, key }
          const row = { ...of, name: waiterName(waiter), value: encodeWaiter(waiter), at }
          yield* decisions.insert(yield* batch.connection, row)
          return true
        })
    })
})
