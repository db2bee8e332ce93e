/**
 * What all parts of a manager share.
 */
import {
  Context,
  type Duration,
  Effect,
  type Fiber,
  FiberRef,
  FiberRefs,
  HashMap,
  Option,
  Ref,
  Runtime,
  RuntimeFlags,
  Scope,
  Tracer
} from "effect"
import { JobNotFound, type StopError, type StoreError, type Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import type { Sender } from "../../domain/Sender.js"
import type { StopReport } from "../../domain/StopReport.js"
import * as background from "../../internal/background.js"
import type { Service as Store } from "../../store/port/RunStoreService.js"
import { RunStore } from "../../store/RunStore.js"
import { makeNotifier } from "../../store/port/ChangeNotifier.js"
import type { Admission } from "./admission.js"
import type { AnyJob } from "../Orchestrator.js"
import * as JobIdGenerator from "./JobIdGenerator.js"
import type { JobRegistry } from "./JobRegistry.js"
import * as PersistRetry from "./persistRetry.js"
import { problem, type Retry } from "./retry.js"
import * as Shutdown from "./Shutdown.js"

export type Notifier = ReturnType<typeof makeNotifier>

type ForkJob = <A, E>(
  id: JobId,
  effect: Effect.Effect<A, E, Scope.Scope>,
  /** The scope of the manager by default. */
  scope?: Scope.Scope
) => Effect.Effect<Fiber.RuntimeFiber<A, E>>

export interface Core<in out Config> {
  readonly kind: string
  /** The maximum size of what a job records as JSON. */
  readonly maxBytes: number
  /** How many jobs this manager runs at once; `resize` changes it. */
  readonly maxJobs: Ref.Ref<number>
  readonly stopGrace: Duration.Duration
  readonly retry: Retry<unknown> | undefined
  /** The time limit of an attempt. */
  readonly timeout: Duration.Duration | undefined
  /** The statuses in which a run that is stopped continues with another attempt, for its stop; none by default. */
  readonly runsOnStop: ReadonlyArray<RunStatus>
  readonly store: Store
  readonly jobs: JobRegistry<Config>
  readonly permits: Effect.Semaphore
  /** Changes whenever a permit is free again. */
  readonly permitFreed: Notifier
  /** Changes whenever a job has ended and its permit is free again. */
  readonly jobEnded: Notifier
  /** The jobs of the other nodes of a cluster; none if this manager runs all jobs of its kind. */
  readonly others: Option.Option<Others>
  /** Runs the orchestrator; `forkJob` provides its services. */
  readonly run: (job: AnyJob<Config>) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly shutdown: Shutdown.Shutdown
  /** How often this node of a cluster has lost its lease and interrupted all its jobs. */
  readonly lapses: Ref.Ref<number>
  readonly persistRetry: PersistRetry.PersistRetry
  /** Makes ids that need not be greater than the ids in the database. */
  readonly newId: JobIdGenerator.JobIdGenerator
  readonly forkJob: ForkJob
  /** Runs an effect in a fiber of the manager, which outlives the caller. */
  readonly fork: (effect: Effect.Effect<void>) => Effect.Effect<Fiber.RuntimeFiber<void>>
  /** The record of a run of this manager's kind. */
  readonly recordOf: (id: JobId) => Effect.Effect<Run, JobNotFound | StoreError>
}

/** Whether a run that is interrupted while it is being stopped continues with its stop. */
export const continuesStop = <Config>({ runsOnStop }: Core<Config>): boolean => runsOnStop.includes("interrupted")

/** How a job is stopped. */
export interface Stop {
  readonly grace: Duration.Duration
  readonly sender?: Sender | undefined
}

/** The other nodes of a cluster, and their running jobs. */
export interface Others {
  /** Leaves a run that this version of the kind cannot decode to nodes of another version, and the other due runs with a problem as well. */
  readonly refuse: (
    run: Run,
    reason: string,
    problem: Admission<unknown>["problem"]
  ) => Effect.Effect<void, Superseded | StoreError>
  /** Stops a job; none if its attempt has ended meanwhile. */
  readonly stop: (
    run: Run,
    options: Stop & { readonly begun: number }
  ) => Effect.Effect<Option.Option<StopReport>, StopError>
  /** The ids of the running jobs of all nodes, this one included. */
  readonly ids: Effect.Effect<ReadonlyArray<JobId>, StoreError>
}

/** Dies unless an option is a whole number from 1 on. */
export const wholeNumber = (name: string, value: number): Effect.Effect<void> =>
  Number.isSafeInteger(value) && value >= 1
    ? Effect.void
    : Effect.dieMessage(`${name} is a whole number, 1 or more, not ${value}`)

/** Adds the parts common to all managers to the parts of one manager. */
export const make = <Config>(
  own: Pick<
    Core<Config>,
    | "kind"
    | "maxBytes"
    | "maxJobs"
    | "others"
    | "stopGrace"
    | "retry"
    | "timeout"
    | "runsOnStop"
    | "jobs"
    | "permits"
    | "run"
  >
): Effect.Effect<Core<Config>, never, RunStore | Scope.Scope> =>
  Effect.gen(function* () {
    const { kind } = own
    yield* wholeNumber("maxJobs", yield* Ref.get(own.maxJobs))
    const invalid = own.retry && problem(kind, own.retry)
    if (invalid !== undefined) return yield* Effect.dieMessage(invalid)
    if (kind === "") return yield* Effect.dieMessage("the kind of a manager is a text that is not empty")
    const store = yield* RunStore
    const shutdown = yield* Shutdown.make
    const lapses = yield* Ref.make(0)
    const fork = Runtime.runFork(yield* background.runtime<never>())
    return {
      ...own,
      store,
      permitFreed: makeNotifier(),
      jobEnded: makeNotifier(),
      shutdown,
      lapses,
      newId: yield* JobIdGenerator.make,
      persistRetry: yield* PersistRetry.make(shutdown, store.oldestWrite),
      forkJob: yield* makeForkJob,
      fork: (effect) => Effect.sync(() => fork(effect)),
      recordOf: (id) =>
        Effect.flatMap(store.get(id), (run) =>
          Option.isSome(run) && run.value.kind === kind ? Effect.succeed(run.value) : new JobNotFound({ jobId: id })
        )
    }
  })

/**
 * Forks the fibers of a job. They are roots: they inherit from the manager, and nothing from the caller of `start`, such as a
 * transaction or an uninterruptible region. They are uninterruptible from their first operation on, unlike a fiber that only
 * runs `Effect.uninterruptible`. Services and log annotations are set when a fiber is made: adding them inside it would
 * cost 10 KB more for each waiting job.
 */
const makeForkJob: Effect.Effect<ForkJob, never, Scope.Scope> = Effect.map(Effect.runtime<Scope.Scope>(), (manager) => {
  const { context, fiberRefs, runtimeFlags } = manager
  // The span around the build of the manager has ended with it.
  const services = Context.omit(Tracer.ParentSpan)(context)
  const uninterruptible = RuntimeFlags.disable(runtimeFlags, RuntimeFlags.Interruption)
  const annotations = FiberRefs.getOrDefault(fiberRefs, FiberRef.currentLogAnnotations)
  return (id, effect, scope) =>
    Effect.sync(() => {
      const own = scope === undefined ? services : Context.add(services, Scope.Scope, scope)
      return Runtime.runFork(Runtime.make({ context: own, fiberRefs, runtimeFlags: uninterruptible }), effect, {
        updateRefs: (refs, fiberId) =>
          FiberRefs.updateAs(refs, {
            fiberId,
            fiberRef: FiberRef.currentLogAnnotations,
            value: HashMap.set(annotations, "jobId", id)
          })
      })
    })
})
