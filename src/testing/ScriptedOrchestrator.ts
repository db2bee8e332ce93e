/**
 * An orchestrator that does what a test tells it.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer, Queue, Ref, type Scope, Stream, SubscriptionRef } from "effect"
import type { InvalidJobConfig } from "../domain/errors.js"
import type { JobConfig } from "../domain/JobConfig.js"
import type { JobId } from "../domain/JobId.js"
import { type Checked, type JobContext, Orchestrator } from "../manager/Orchestrator.js"
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
  /** Commands a job: it takes these steps after its script and after what it was sent before. */
  readonly send: (id: JobId, ...steps: ReadonlyArray<Step.Step>) => Effect.Effect<void>
  /** Returns when that attempt of the job (the first, when left out) has begun to run. */
  readonly began: (id: JobId, attempt?: number) => Effect.Effect<void>
}

/**
 * Options of `ScriptedOrchestrator.layer`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The steps with which an attempt begins; none when left out. Then it waits for commands. */
  readonly script?: (job: JobContext<JobConfig>) => ReadonlyArray<Step.Step>
  /** As `Orchestrator.check`. */
  readonly check?: (config: JobConfig, submission?: unknown) => Effect.Effect<Checked, InvalidJobConfig>
  /** As `Orchestrator.recover`. */
  readonly recover?: (id: JobId) => Effect.Effect<void, unknown>
}

interface Controls {
  readonly commands: Queue.Queue<Step.Step>
  /** The latest attempt that has begun. */
  readonly attempt: SubscriptionRef.SubscriptionRef<number>
}

/**
 * An `Orchestrator` whose jobs run the steps of their script and then those that the test sends.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = ({ check, recover, script }: Options = {}): Layer.Layer<Orchestrator | ScriptedOrchestrator> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const jobs = yield* Ref.make<ReadonlyMap<JobId, Controls>>(new Map())

      const controls = (id: JobId): Effect.Effect<Controls> =>
        Effect.flatMap(
          Effect.all({ commands: Queue.unbounded<Step.Step>(), attempt: SubscriptionRef.make(0) }),
          (fresh) =>
            Ref.modify(jobs, (jobs) => {
              const known = jobs.get(id)
              return known === undefined ? [fresh, new Map([...jobs, [id, fresh]])] : [known, jobs]
            })
        )

      const run = (job: JobContext<JobConfig>): Effect.Effect<unknown, unknown, Scope.Scope> =>
        Effect.gen(function* () {
          const { attempt, commands } = yield* controls(job.id)
          yield* Ref.set(attempt, job.attempt)
          const steps = (script?.(job) ?? []).values()
          return yield* Step.run(
            Effect.suspend(() => {
              const { done, value } = steps.next()
              return done ? Queue.take(commands) : Effect.succeed(value)
            }),
            job
          )
        })

      return Context.make(Orchestrator, { run, ...(check && { check }), ...(recover && { recover }) }).pipe(
        Context.add(ScriptedOrchestrator, {
          send: (id, ...steps) => Effect.flatMap(controls(id), ({ commands }) => Queue.offerAll(commands, steps)),
          began: (id, attempt = 1) =>
            Effect.flatMap(controls(id), (controls) =>
              controls.attempt.changes.pipe(
                Stream.takeUntil((latest) => latest >= attempt),
                Stream.runDrain
              )
            )
        })
      )
    })
  )
