/**
 * The parts behind the operations of a manager, on one machine or as a node of a cluster.
 */
import { Duration, Effect, HashMap, Option, Ref, type Schema, type Scope } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Rule } from "../../store/port/RunStoreService.js"
import type { RunStore } from "../../store/RunStore.js"
import type { Options } from "../JobManagerService.js"
import type { Service as Orchestrator } from "../Orchestrator.js"
import * as Admission from "./admission.js"
import * as Core from "./Core.js"
import * as EventSubscriptions from "./EventSubscriptions.js"
import * as JobIdGenerator from "./JobIdGenerator.js"
import type { ActiveJob } from "./JobRegistry.js"
import { defaultMaxBytes } from "./maxBytes.js"
import type { Retry } from "./retry.js"
import type { Retries } from "./submission.js"

/**
 * What a stop of a job that is parked or interrupted does: cancel it, or run it once more with `stopping`, and cancel it then.
 *
 * @since 0.2.0
 * @category options
 */
export type OnStop = "cancel" | "run"

/**
 * Options of `JobManager.make`.
 *
 * @since 0.1.0
 * @category options
 */
export interface MakeOptions<C, I, RS = never, R = Scope.Scope, R2 = never> extends Options {
  /** Any non-empty text. A database has one manager of each kind. */
  readonly kind: string
  /** The schema of the configuration of a job; `start` takes its encoded form. */
  readonly config: Schema.Schema<C, I, RS>
  readonly orchestrator: Orchestrator<C, R, R2>
  /** Labels to filter runs by. */
  readonly labels?: (config: C) => { readonly [name: string]: string }
  /** The key of a configuration, if `start` gets none: at most one job holds it. */
  readonly key?: (config: C) => string | undefined
  /** The group of a configuration: at most `maxPerGroup` jobs of it run at once. */
  readonly group?: (config: C) => string | undefined
  /** How many jobs of a group run at once, in a cluster on all nodes together; without a limit by default. */
  readonly maxPerGroup?: number
  /** How its configurations refer to the jobs whose work they take over. @internal */
  readonly retries?: Retries<C, I>
  /** Whether failed attempts are retried; of a kind other than `tasks` only. */
  readonly retry?: Retry<unknown>
  /** The time limit of an attempt, in running time; none by default. */
  readonly timeout?: Duration.DurationInput
  /** What a stop of a job that is parked or interrupted does; `cancel` by default. */
  readonly onStop?: OnStop
  /** The signals that its jobs accept, with the schemas of their payloads; when left out, any name with any JSON. */
  readonly signals?: { readonly [name: string]: Schema.Schema.AnyNoContext }
  /**
   * Whether producers, in any process, may start and stop its jobs, and signal them.
   *
   * @internal
   */
  readonly hasProducers?: boolean
}

export interface Parts<in out C, in out R> {
  readonly core: Core.Core<C>
  readonly admission: Admission.Admission<C>
  readonly subscriptions: EventSubscriptions.EventSubscriptions
  /** Makes ids that are greater than all ids in the database now. */
  readonly nextId: Effect.Effect<JobIdGenerator.JobIdGenerator, StoreError>
  /** The statuses of the runs that the manager continues by itself. */
  readonly continued: ReadonlyArray<"interrupted" | "parked" | "pending">
  /** Provides the services of the orchestrator. */
  readonly provide: <A, E>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E>
  /** Removes the child processes that a job has left, up to this attempt. */
  readonly recover: (id: JobId, attempt: number) => Effect.Effect<void, unknown>
  /** Removes what is kept of a job whose run is pruned or removed. */
  readonly forget: Rule["forget"]
}

const restingOf = (recovery: Options["recovery"]) =>
  recovery === "manual" ? (["parked"] as const) : (["interrupted", "parked"] as const)

/** The statuses of the runs that a manager continues by itself. */
export const continuedBy = (recovery: Options["recovery"]): Parts<never, never>["continued"] => [
  ...restingOf(recovery),
  "pending"
]

/** How many jobs run at once by default. */
export const defaultMaxJobs = 10

export const make = <C, I, RS, R, R2>(
  {
    config,
    kind,
    maxBytes = defaultMaxBytes,
    maxChecks = 4,
    maxJobs = defaultMaxJobs,
    onStop = "cancel",
    orchestrator,
    recovery,
    retry,
    stopGrace = "5 seconds",
    timeout
  }: MakeOptions<C, I, RS, R, R2>,
  others: Core.Core<C>["others"] = Option.none()
): Effect.Effect<
  Parts<C, RS | Exclude<R, Scope.Scope> | R2>,
  never,
  RunStore | Scope.Scope | RS | Exclude<R, Scope.Scope> | R2
> =>
  Effect.gen(function* () {
    yield* Core.wholeNumber("maxChecks", maxChecks)
    yield* Core.wholeNumber("maxBytes", maxBytes)
    const services = yield* Effect.context<RS | Exclude<R, Scope.Scope> | R2>()
    const resting = restingOf(recovery)
    const core = yield* Core.make({
      kind,
      maxBytes,
      maxJobs: yield* Ref.make(maxJobs),
      others,
      stopGrace: Duration.decode(stopGrace),
      retry,
      timeout: timeout === undefined ? undefined : Duration.decode(timeout),
      runsOnStop: onStop === "run" ? resting : [],
      jobs: yield* Ref.make(HashMap.empty<JobId, ActiveJob<C>>()),
      permits: yield* Effect.makeSemaphore(maxJobs),
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: `forkJob` has the services of R
      run: (job) => orchestrator.run(job) as Effect.Effect<unknown, unknown, Scope.Scope>
    })
    return {
      core,
      admission: yield* Admission.make({ config, orchestrator, services, maxChecks, maxBytes }),
      nextId: Effect.map(core.store.latestId, (latest) => JobIdGenerator.aboveLatest(core.newId, latest)),
      continued: continuedBy(recovery),
      subscriptions: yield* EventSubscriptions.make(core),
      provide: Effect.provide(services),
      // A `recover` or `forget` that throws has failed; that is no defect of the manager.
      recover: (id, attempt) =>
        Effect.provide(
          Effect.suspend(() => orchestrator.recover?.(id, attempt) ?? Effect.void),
          services
        ),
      forget: (id, why) =>
        Effect.provide(
          Effect.suspend(() => orchestrator.forget?.(id, why) ?? Effect.void),
          services
        )
    }
  })
