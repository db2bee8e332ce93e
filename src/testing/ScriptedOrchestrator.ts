/**
 * An orchestrator that runs the steps of a test.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, Queue, Ref, type Schema, type Scope, Stream, SubscriptionRef } from "effect"
import type { AlreadyManaged, InvalidJobConfig, StoreError } from "../domain/errors.js"
import type { JobConfig } from "../domain/JobConfig.js"
import type { JobId } from "../domain/JobId.js"
import * as kindLayer from "../manager/internal/kindLayer.js"
import * as kindManager from "../manager/internal/kindManager.js"
import { schemasOf } from "../manager/internal/schemasOf.js"
import type * as JobKind from "../manager/JobKind.js"
import * as JobManager from "../manager/JobManager.js"
import { type Checked, type JobContext, Orchestrator } from "../manager/Orchestrator.js"
import type { RunStore } from "../store/RunStore.js"
import * as Step from "./Step.js"

/**
 * Controls the jobs of a test, step by step.
 *
 * @since 0.1.0
 * @category tags
 */
export class ScriptedOrchestrator extends Context.Tag("charlotte/testing/ScriptedOrchestrator")<
  ScriptedOrchestrator,
  Service
>() {}

/**
 * The operations of `ScriptedOrchestrator`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Sends steps to a job, which runs them after its script and after the steps that were sent before. */
  readonly send: {
    (id: JobId, ...steps: ReadonlyArray<Step.Step>): Effect.Effect<void>
    /** Sends steps to a job of another kind. */
    (id: JobId, ...steps: ReadonlyArray<Step.Step<never>>): Effect.Effect<void>
  }
  /** Returns when that attempt of the job (by default the first) has begun to run. */
  readonly began: (id: JobId, attempt?: number) => Effect.Effect<void>
}

/**
 * Options of `ScriptedOrchestrator.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The first steps of an attempt; none by default. After them it runs the steps that it is sent. */
  readonly script?: (job: JobContext<JobConfig>) => ReadonlyArray<Step.Step>
  /** See `Orchestrator.check`. */
  readonly check?: (config: JobConfig, submission?: unknown) => Effect.Effect<Checked, InvalidJobConfig>
  /** See `Orchestrator.recover`. */
  readonly recover?: (id: JobId, attempt: number) => Effect.Effect<void, unknown>
}

/**
 * Options of `ScriptedOrchestrator.layerOf`: the options of the layer of the kind, with a script in place of `run`.
 *
 * @since 0.2.0
 * @category options
 */
export interface KindOptions<K extends JobKind.Any> extends Omit<JobKind.LayerOptions<K, Scope.Scope, never>, "run"> {
  /** The first steps of an attempt; none by default. After them it runs the steps that it is sent. */
  readonly script?: (job: JobOf<K>) => ReadonlyArray<Step.Step<JobOf<K>>>
}

/**
 * A job of a kind.
 *
 * @since 0.2.0
 * @category models
 */
export type JobOf<K extends JobKind.Any> = JobContext<
  JobKind.Config<K>,
  JobKind.Events<K>,
  JobKind.Signals<K>,
  JobKind.Error<K>
>

interface Controls {
  readonly commands: Queue.Queue<Step.Step<never>>
  /** The latest attempt that has begun. */
  readonly attempt: SubscriptionRef.SubscriptionRef<number>
}

/** The controls of each job of any kind. */
class Registry extends Context.Tag("charlotte/testing/Registry")<
  Registry,
  { readonly of: (id: JobId) => Effect.Effect<Controls> }
>() {}

/** One registry serves all kinds of a test: layers are memoised by reference. */
const controls: Layer.Layer<Registry | ScriptedOrchestrator> = Layer.effectContext(
  Effect.gen(function* () {
    const jobs = yield* Ref.make<ReadonlyMap<JobId, Controls>>(new Map())

    const of = (id: JobId): Effect.Effect<Controls> =>
      Effect.flatMap(
        Effect.all({ commands: Queue.unbounded<Step.Step<never>>(), attempt: SubscriptionRef.make(0) }),
        (fresh) =>
          Ref.modify(jobs, (jobs) => {
            const known = jobs.get(id)
            return known === undefined ? [fresh, new Map([...jobs, [id, fresh]])] : [known, jobs]
          })
      )

    return Context.make(Registry, { of }).pipe(
      Context.add(ScriptedOrchestrator, {
        send: (id: JobId, ...steps: ReadonlyArray<Step.Step<never>>) =>
          Effect.flatMap(of(id), ({ commands }) => Queue.offerAll(commands, steps)),
        began: (id, attempt = 1) =>
          Effect.flatMap(of(id), (controls) =>
            controls.attempt.changes.pipe(
              Stream.takeUntil((latest) => latest >= attempt),
              Stream.runDrain
            )
          )
      })
    )
  })
)

/** Runs a job: the steps of its script, and then the steps that the test sends. */
const scripted =
  <Job extends Pick<JobContext<unknown>, "id" | "attempt">>(script?: (job: Job) => ReadonlyArray<Step.Step<Job>>) =>
  (registry: Registry["Type"]) =>
  (job: Job): Effect.Effect<unknown, unknown, Scope.Scope> =>
    Effect.gen(function* () {
      const { attempt, commands } = yield* registry.of(job.id)
      yield* Ref.set(attempt, job.attempt)
      const steps = (script?.(job) ?? []).values()
      return yield* Step.run(
        Effect.suspend(() => {
          const { done, value } = steps.next()
          // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: a test sends a job steps of its kind
          return done ? (Queue.take(commands) as Effect.Effect<Step.Step<Job>>) : Effect.succeed(value)
        }),
        job
      )
    })

/**
 * An `Orchestrator` whose jobs run the steps of their script and then the steps that the test sends.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = ({ check, recover, script }: Options = {}): Layer.Layer<Orchestrator | ScriptedOrchestrator> =>
  Layer.effect(
    Orchestrator,
    Effect.map(Registry, (registry) => ({
      run: scripted(script)(registry),
      ...(check && { check }),
      ...(recover && { recover })
    }))
  ).pipe(Layer.provideMerge(controls), Layer.map(Context.pick(Orchestrator, ScriptedOrchestrator)))

/**
 * The manager of a kind whose jobs run the steps of their script and then the steps that the test sends.
 *
 * @since 0.2.0
 * @category layers
 */
export const layerOf = <
  Self,
  Name extends string,
  C extends Schema.Schema.All,
  S extends Schema.Schema.All,
  E extends Schema.Schema.All,
  Ev extends JobKind.Schemas | undefined,
  Si extends JobKind.Schemas | undefined,
  Defined extends "key" | "labels"
>(
  kind: JobKind.TagClass<Self, Name, C, S, E, Ev, Si, Defined>,
  { script, ...options }: KindOptions<JobKind.Definition<Name, C, S, E, Ev, Si>>
) =>
  Layer.unwrapEffect(
    Effect.map(Registry, (registry) => {
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the schemas of the kind refuse what they cannot encode
      const run = scripted(script)(registry) as JobKind.LayerOptions<
        JobKind.Definition<Name, C, S, E, Ev, Si>,
        Scope.Scope,
        never
      >["run"]
      type K = JobKind.Definition<Name, C, S, E, Ev, Si>
      return kindLayer.make<
        Self,
        K,
        JobKind.Service<K>,
        StoreError | AlreadyManaged,
        RunStore | Scope.Scope | JobKind.Requirements<K>
      >(kind, kind.Producer, kind, kindManager.make(schemasOf<K>(kind), { ...options, run }, JobManager.make))
    })
  ).pipe(Layer.provideMerge(controls))
