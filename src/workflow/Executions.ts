/**
 * The executions of workflows: their runs are found by the execution id, which is their idempotency key.
 */
import type * as Workflow from "@effect/workflow/Workflow"
import { Complete, Suspended } from "@effect/workflow/Workflow"
import { Effect, Exit, FiberId, Option, Schema, type Scope } from "effect"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { Run } from "../domain/Run.js"
import { isTerminal } from "../domain/RunStatus.js"
import { workflowKind } from "../domain/workflowKind.js"
import { parse } from "../internal/Json.js"
import * as Tracing from "../internal/Tracing.js"
import { awaitRecord } from "../manager/internal/awaitRecord.js"
import * as JobIdGenerator from "../manager/internal/JobIdGenerator.js"
import { traceOf } from "../manager/internal/jobSpan.js"
import * as Shutdown from "../manager/internal/Shutdown.js"
import type { Service as Store } from "../store/port/RunStoreService.js"
import { anyServices } from "./anyServices.js"
import { exitSchemas, exitStep, submissionOf } from "./runWorkflow.js"
import { persist } from "./persist.js"

export interface Executions {
  /** Starts an execution, unless it has started, and returns the id of its run. */
  readonly start: (
    workflow: Workflow.Any,
    execution: { readonly executionId: string; readonly payload: object; readonly parent?: JobId }
  ) => Effect.Effect<JobId>
  readonly find: (workflow: Workflow.Any, executionId: string) => Effect.Effect<Option.Option<JobId>>
  /** The exit of an execution that is over. */
  readonly exit: (workflow: Workflow.Any, id: JobId) => Effect.Effect<Exit.Exit<unknown, unknown>>
  /** Waits for the end of an execution; interrupts the caller if the engine closes first. */
  readonly await: (workflow: Workflow.Any, id: JobId) => Effect.Effect<Exit.Exit<unknown, unknown>>
  readonly poll: (
    workflow: Workflow.Any,
    executionId: string
  ) => Effect.Effect<Workflow.Result<unknown, unknown> | undefined>
}

export const make = (store: Store): Effect.Effect<Executions, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* store.producers.rest
    const shutdown = yield* Shutdown.make
    yield* Effect.addFinalizer(() => Effect.zipRight(shutdown.begin, shutdown.end))
    const nextId = JobIdGenerator.aboveLatest(yield* JobIdGenerator.make, yield* store.latestId)

    const start: Executions["start"] = (workflow, { executionId, parent, payload }) =>
      Effect.gen(function* () {
        yield* store.outsideTransaction
        const at = yield* store.now
        const config = yield* encodePayload(workflow, payload)
        return yield* Effect.orDie(
          persist(
            store.producers.submit({
              id: nextId(at.epochMillis),
              kind: workflowKind(workflow.name),
              key: undefined,
              config,
              labels: { execution: executionId, ...(parent !== undefined && { parent }) },
              submission: submissionOf(executionId),
              // The same for all payloads: the first one counts.
              idempotency: { key: executionId, request: "" },
              trace: traceOf(yield* Tracing.caller),
              isQueued: true,
              at
            })
          )
        )
      })

    const find: Executions["find"] = (workflow, key) =>
      Effect.map(
        persist(store.idempotent({ kind: workflowKind(workflow.name), key })),
        Option.map(({ id }) => id)
      )

    const exitOf = (workflow: Workflow.Any, run: Run): Effect.Effect<Exit.Exit<unknown, unknown>> =>
      Effect.gen(function* () {
        const steps = yield* persist(store.steps.recall(run.id))
        const recorded = steps.find(({ name }) => name === exitStep)
        if (recorded === undefined) return endWithoutExit(run)
        const value = recorded.value === undefined ? undefined : parse(recorded.value)
        const { error, success } = exitSchemas(workflow)
        return yield* recorded.ok
          ? Effect.map(decode(success, value), Exit.succeed)
          : Effect.map(decode(error, value), Exit.failCause)
      })

    const recordOf = (id: JobId) =>
      Effect.flatMap(persist(store.get(id)), (run) =>
        Option.isSome(run) ? Effect.succeed(run.value) : Effect.dieMessage(`job ${id} of a workflow was pruned`)
      )

    return {
      start,
      find,
      exit: (workflow, id) => Effect.flatMap(recordOf(id), (run) => exitOf(workflow, run)),
      await: (workflow, id) =>
        Effect.gen(function* () {
          const changes = Effect.zipRight(store.producers.follow, store.changes(id))
          const run = yield* awaitRecord({ changes, record: recordOf(id), shutdown })
          return yield* isTerminal(run.status) ? exitOf(workflow, run) : Effect.interrupt
        }),
      poll: (workflow, executionId) =>
        Effect.gen(function* () {
          const id = yield* find(workflow, executionId)
          if (Option.isNone(id)) return undefined
          const run = yield* recordOf(id.value)
          if (isTerminal(run.status)) return new Complete({ exit: yield* exitOf(workflow, run) })
          return run.status === "parked" ? new Suspended({}) : undefined
        })
    }
  })

/** How an execution ended that has recorded no exit: it was cancelled before it began, or could not be continued. */
const endWithoutExit = ({ error, id, status }: Run): Exit.Exit<never> =>
  status === "cancelled"
    ? Exit.interrupt(FiberId.none)
    : Exit.die(
        new Error(`job ${id} of the workflow ended as ${status}: ${error === undefined ? "no error" : error.cause}`)
      )

const decode = <A, I>(schema: Schema.Schema<A, I, unknown>, value: unknown): Effect.Effect<A> =>
  anyServices(Effect.orDie(Schema.decodeUnknown(schema)(value)))

const encodePayload = ({ payloadSchema }: Workflow.Any, payload: object): Effect.Effect<unknown> =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the interface of the engine says only that it is a schema
  anyServices(Effect.orDie(Schema.encode(payloadSchema as unknown as Schema.Schema<object, unknown, unknown>)(payload)))
