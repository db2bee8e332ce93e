/**
 * The engine of `@effect/workflow` on kinds, steps and decisions.
 */
import type * as Activity from "@effect/workflow/Activity"
import * as Workflow from "@effect/workflow/Workflow"
import { type Encoded, makeUnsafe, type WorkflowEngine, WorkflowInstance } from "@effect/workflow/WorkflowEngine"
import { Cause, Duration, Effect, Exit, Option, Schema, Scope } from "effect"
import { Engine as ClusterEngine } from "../cluster/Engine.js"
import { JobNotFound, type StopError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { Retention } from "../domain/Retention.js"
import type { StopReport } from "../domain/StopReport.js"
import { workflowKind } from "../domain/workflowKind.js"
import * as background from "../internal/background.js"
import * as kindManager from "../manager/internal/kindManager.js"
import { schemasOf } from "../manager/internal/schemasOf.js"
import * as JobManager from "../manager/JobManager.js"
import type { AnyJob } from "../manager/Orchestrator.js"
import { RunStore } from "../store/RunStore.js"
import { anyServices } from "./anyServices.js"
import { CurrentAttempt, decisionName } from "./Attempt.js"
import * as Executions from "./Executions.js"
import * as exits from "./exits.js"
import { kind } from "./kind.js"
import { persist } from "./persist.js"
import { exitSchemas, type Execute, runWorkflow } from "./runWorkflow.js"

export interface Options {
  /** How many executions of each workflow run at once; suspended ones do not count. 10 by default. */
  readonly maxJobs?: number
  /** How long executions are kept that are over; for ever by default. */
  readonly retention?: Retention
}

/** What the manager of a workflow does. */
type Manager = Pick<JobManager.Service<unknown, unknown>, "await" | "resume" | "stop">

/** How long an execution waits for the registration of its workflow before a warning. */
const registrationTime = Duration.seconds(10)

/** The stops of the engines that this module has made. */
const stops = new WeakMap<WorkflowEngine["Type"], (id: JobId) => Effect.Effect<StopReport, StopError>>()

export const stop = (engine: WorkflowEngine["Type"], id: JobId): Effect.Effect<StopReport, StopError> =>
  stops.get(engine)?.(id) ?? Effect.dieMessage("this engine of workflows is not that of charlotte/workflow")

export const make = ({
  maxJobs,
  retention
}: Options): Effect.Effect<WorkflowEngine["Type"], never, RunStore | Scope.Scope> =>
  Effect.gen(function* () {
    const cluster = yield* Effect.serviceOption(ClusterEngine)
    if (Option.isSome(cluster))
      return yield* Effect.dieMessage("workflows do not run in a cluster yet; run them on one node, without an engine")
    const store = yield* RunStore
    const scope = yield* Effect.scope
    const executions = yield* Effect.orDie(Executions.make(store))
    const { decisions } = store
    /** The names of the workflows that are registered, or are being registered. */
    const registered = new Set<string>()
    /** By kind. */
    const managers = new Map<string, Manager>()

    const register: Encoded["register"] = (workflow, execute) =>
      Effect.gen(function* () {
        const { name } = workflow
        if (registered.has(name)) return yield* Effect.dieMessage(`the workflow ${name} is registered already`)
        registered.add(name)
        yield* Effect.addFinalizer(() => Effect.sync(() => registered.delete(name)))
        const manager = yield* managerOf(workflow, execute)
        managers.set(workflowKind(name), manager)
        yield* Effect.addFinalizer(() => Effect.sync(() => managers.delete(workflowKind(name))))
      })

    const managerOf = (workflow: Workflow.Any, execute: Execute): Effect.Effect<Manager, never, Scope.Scope> => {
      const made = kindManager.make(
        schemasOf(kind(workflow)),
        {
          ...(maxJobs !== undefined && { maxJobs }),
          ...(retention && { retention }),
          onStop: "run",
          run: (job: AnyJob<unknown>) => runWorkflow({ engine, execute, job, store, workflow })
        },
        JobManager.make
      )
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the types of a registration ask for the services of the schemas
      const asked = made as Effect.Effect<Manager, unknown, RunStore | Scope.Scope>
      return Effect.orDie(Effect.provideService(asked, RunStore, store))
    }

    /** Starts an execution. Its run waits until its workflow is registered, in this process or in another. */
    const start: Executions.Executions["start"] = (workflow, execution) =>
      Effect.tap(executions.start(workflow, execution), (id) =>
        managers.has(workflowKind(workflow.name))
          ? Effect.void
          : Scope.extend(background.fork(Effect.delay(warnUnregistered(workflow, id), registrationTime)), scope)
      )

    const warnUnregistered = ({ name }: Workflow.Any, id: JobId) =>
      Effect.suspend(() =>
        managers.has(workflowKind(name))
          ? Effect.void
          : Effect.annotateLogs(
              Effect.logWarning(`job ${id} waits for the workflow ${name}, which is not registered in this process`),
              { jobId: id }
            )
      )

    /** Waits while a manager of this process has the execution: it knows the end without a read for each event. */
    const untilEnded = (workflow: Workflow.Any, id: JobId): Effect.Effect<void> =>
      Effect.suspend(() => Effect.ignore(managers.get(workflowKind(workflow.name))?.await(id) ?? Effect.void))

    /** Stops an execution; within a workflow without waiting for its end. */
    const interrupt: Encoded["interrupt"] = (workflow, executionId) =>
      Effect.gen(function* () {
        const id = yield* executions.find(workflow, executionId)
        if (Option.isNone(id)) return
        const isNested = Option.isSome(yield* Effect.serviceOption(CurrentAttempt))
        const manager = isNested ? undefined : managers.get(workflowKind(workflow.name))
        yield* persist(
          manager === undefined ? requestStop(workflow.name, id.value) : Effect.asVoid(manager.stop(id.value))
        ).pipe(
          Effect.catchTags({
            JobNotFound: () => Effect.void,
            StopTimedOut: (error) => Effect.logWarning("a workflow is interrupted, and is not over yet", error)
          })
        )
      })

    const requestStop = (name: string, jobId: JobId) =>
      Effect.flatMap(store.now, (at) =>
        store.producers.requestStop({ kind: workflowKind(name), jobId, grace: undefined, at })
      )

    const resume: Encoded["resume"] = (workflow, executionId) =>
      Effect.gen(function* () {
        const found = yield* executions.find(workflow, executionId)
        if (Option.isNone(found)) return
        const jobId = found.value
        const manager = managers.get(workflowKind(workflow.name))
        const resumed =
          manager === undefined
            ? Effect.flatMap(store.now, (at) =>
                store.producers.requestResume({ kind: workflowKind(workflow.name), jobId, at })
              )
            : manager.resume(jobId)
        // It runs already, or is over.
        yield* Effect.catchAll(persist(resumed), () => Effect.void)
      })

    const activityExecute: Encoded["activityExecute"] = (activity, number) =>
      Effect.gen(function* () {
        const attempt = yield* Effect.orDie(CurrentAttempt)
        const instance = yield* WorkflowInstance
        let suspended: Workflow.Suspended | undefined
        const runs = Effect.suspend((): Effect.Effect<unknown, Cause.Cause<unknown>, unknown> => {
          if (attempt.inBody && instance.interrupted) {
            // An execution that is stopped does nothing new, apart from its compensation.
            suspended = new Workflow.Suspended({})
            return Effect.interrupt
          }
          const inner = WorkflowInstance.initial(instance.workflow, instance.executionId)
          inner.interrupted = instance.interrupted
          return encodedOf(activity).pipe(
            Workflow.intoResult,
            Effect.provideService(WorkflowInstance, inner),
            Effect.flatMap((result) => {
              if (result._tag === "Complete") return Effect.sandbox(result.exit)
              suspended = result
              return Effect.interrupt
            })
          )
        })
        // Its value is encoded already.
        const schemas = { success: Schema.Unknown, error: exits.EncodedCause }
        const step = attempt.job.step(`activity/${activity.name}/${number}`, runs, schemas)
        const exit = yield* Effect.exit(step)
        return suspended ?? new Workflow.Complete({ exit: yield* recordedExit(exit) })
      }).pipe(anyServices)

    const deferredDone: Encoded["deferredDone"] = ({ deferredName, executionId, exit, workflowName }) =>
      Effect.gen(function* () {
        const execution = { kind: workflowKind(workflowName), key: executionId }
        const attempt = Option.filter(
          yield* Effect.serviceOption(CurrentAttempt),
          (attempt) => attempt.execution.kind === execution.kind && attempt.execution.key === executionId
        )
        if (Option.isNone(attempt)) {
          const value = yield* exits.encode(exit)
          const decision = { ...execution, name: decisionName(deferredName), value, at: yield* store.now }
          return yield* Effect.asVoid(persist(decisions.decide(decision)))
        }
        // The end of the manager, or a stop, decides nothing.
        const isCutOff = attempt.value.isInterrupted() && Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
        if (!isCutOff) yield* attempt.value.decide(deferredName, exit)
      })

    const child = (
      workflow: Workflow.Any,
      parent: WorkflowInstance["Type"],
      attempt: CurrentAttempt["Type"],
      {
        discard,
        executionId,
        payload
      }: { readonly discard: boolean; readonly executionId: string; readonly payload: object }
    ): Effect.Effect<Workflow.Result<unknown, unknown>> =>
      Effect.gen(function* () {
        const { execution, job } = attempt
        let isSuspended = false
        const suspend = Effect.suspend(() => {
          isSuspended = true
          return Effect.interrupt
        })
        const runs = Effect.gen(function* () {
          if (attempt.inBody && parent.interrupted) return yield* suspend
          yield* attempt.load
          const id = yield* start(workflow, { executionId, payload, parent: job.id })
          if (discard) return undefined
          const of = { kind: workflowKind(workflow.name), key: executionId }
          if (yield* persist(decisions.awaitEnd({ ...execution, of, at: yield* store.now }))) {
            attempt.awaits(`the workflow ${workflow.name}`)
            return yield* suspend
          }
          return yield* Effect.sandbox(Effect.flatten(executions.exit(workflow, id)))
        })
        const schemas = discard ? { success: Schema.Unknown } : exitSchemas(workflow)
        const name = `${discard ? "start" : "child"}/${workflow.name}/${executionId}`
        const exit = yield* Effect.exit(
          job.step<
            unknown,
            Cause.Cause<unknown>,
            never,
            unknown,
            Schema.CauseEncoded<unknown, unknown>,
            unknown,
            unknown
          >(name, runs, schemas)
        )
        return isSuspended ? new Workflow.Suspended({}) : new Workflow.Complete({ exit: yield* recordedExit(exit) })
      }).pipe(anyServices)

    const execute = (
      workflow: Workflow.Any,
      options: Parameters<Encoded["execute"]>[1]
    ): Effect.Effect<Workflow.Result<unknown, unknown>> =>
      Effect.gen(function* () {
        const { parent } = options
        const attempt = yield* Effect.serviceOption(CurrentAttempt)
        if (parent !== undefined && Option.isSome(attempt)) {
          const result = yield* child(workflow, parent, attempt.value, options)
          return options.discard && result._tag === "Suspended" ? yield* Workflow.suspend(parent) : result
        }
        const { executionId, payload } = options
        const id = yield* start(workflow, { executionId, payload })
        if (options.discard) return new Workflow.Complete({ exit: Exit.void })
        const exit = yield* Effect.zipRight(untilEnded(workflow, id), executions.await(workflow, id))
        return new Workflow.Complete({ exit })
      })

    const encoded: WorkflowEngine["Type"] = makeUnsafe({
      register,
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the result of an execution that is discarded is not read
      execute: execute as Encoded["execute"],
      poll: executions.poll,
      interrupt,
      resume,
      activityExecute,
      deferredResult: ({ name }) =>
        Effect.flatMap(Effect.orDie(CurrentAttempt), (attempt) => attempt.decided(name)).pipe(anyServices),
      deferredDone,
      scheduleClock: (_, { clock: { deferred, duration, name } }) =>
        Effect.gen(function* () {
          const attempt = yield* Effect.orDie(CurrentAttempt)
          const due = Effect.map(store.now, ({ epochMillis }) =>
            Math.min(epochMillis + Duration.toMillis(duration), Number.MAX_SAFE_INTEGER)
          )
          attempt.schedule(deferred.name, yield* attempt.job.step(`clock/${name}`, due, { success: Schema.Number }))
        }).pipe(anyServices)
    })
    const engine: WorkflowEngine["Type"] = {
      ...encoded,
      activityExecute: (activity, attempt) =>
        Effect.flatMap(activityExecute(activity, attempt), (result) => decodedResult(activity, result))
    }

    stops.set(engine, (jobId) =>
      Effect.gen(function* () {
        const run = Option.getOrUndefined(yield* store.get(jobId))
        const manager = run && managers.get(run.kind)
        if (manager === undefined) return yield* new JobNotFound({ jobId })
        return yield* manager.stop(jobId)
      })
    )
    return engine
  })

/**
 * As `makeUnsafe` decodes it, but a success without the schema of the whole exit: its part for causes is made and compiled for each activity,
 * and took a third of the time of one.
 */
const decodedResult = <Success extends Schema.Schema.Any, Error extends Schema.Schema.All, R>(
  { exitSchema, successSchema }: Activity.Activity<Success, Error, R>,
  result: Workflow.Result<unknown, unknown>
): Effect.Effect<Workflow.Result<Success["Type"], Error["Type"]>, never, Success["Context"] | Error["Context"]> =>
  Effect.gen(function* () {
    if (result._tag === "Suspended") return result
    const { exit } = result
    if (Exit.isFailure(exit)) {
      return new Workflow.Complete({ exit: yield* Effect.orDie(Schema.decodeUnknown(exitSchema)(exit)) })
    }
    const value: Success["Type"] = yield* anyServices(Effect.orDie(Schema.decodeUnknown(successSchema)(exit.value)))
    return new Workflow.Complete({ exit: Exit.succeed(value) })
  })

/** What a step returned: the value of a success, or the recorded cause of a failure. Without a record, what it came to. */
const recordedExit = (exit: Exit.Exit<unknown, Cause.Cause<unknown>>): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Exit.match(exit, {
    onSuccess: (value) => Effect.succeed(Exit.succeed(value)),
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => Effect.failCause(Cause.flatMap(cause, () => Cause.empty)),
        onSome: (recorded) => Effect.succeed(Exit.failCause(recorded))
      })
  })

const encodedOf = ({ executeEncoded }: Activity.Any): Effect.Effect<unknown, unknown, unknown> => executeEncoded
