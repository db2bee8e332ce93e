/**
 * A command of the model-based test: it acts on the model and on the real manager, and compares them.
 */
import { JobManager, RunStore } from "charlotte"
import type { ScriptedOrchestrator } from "charlotte/testing"
import { Clock, Effect, type FastCheck, Option } from "effect"
import { Work } from "../support/Work.js"
import { agree } from "./agree.js"
import type { Job } from "./Job.js"
import type { Model } from "./Model.js"
import type { World } from "./World.js"

export type Services = JobManager.JobManager | RunStore.RunStore | ScriptedOrchestrator.ScriptedOrchestrator

export type Command = FastCheck.AsyncCommand<Model, World>

export const command = (
  name: string,
  act: (model: Model) => Effect.Effect<unknown, unknown, Services>,
  check: (model: Model) => boolean = () => true
): Command => ({
  check,
  run: (model, world) =>
    world.run(
      Effect.gen(function* () {
        model.now = yield* Clock.currentTimeMillis
        yield* act(model)
        yield* agree(model)
      })
    ),
  toString: () => name
})

/** A command on the n-th of the jobs for which it is meant. */
export const onJob = (
  name: string,
  n: number,
  act: (job: Job, model: Model) => Effect.Effect<unknown, unknown, Services>,
  jobsOf: (model: Model) => ReadonlyArray<Job> = ({ jobs }) => jobs
): Command => {
  const find = (model: Model) => jobsOf(model)[n % Math.max(1, jobsOf(model).length)]
  return command(
    `${name} ${n}`,
    (model) => Effect.flatMap(Effect.fromNullable(find(model)), (job) => act(job, model)),
    (model) => find(model) !== undefined
  )
}

export const running = ({ active }: Model) => active

/** Chooses among the jobs for which a command does something, and at times among all. */
export const mostly =
  (n: number, jobsOf: (model: Model) => ReadonlyArray<Job>) =>
  (model: Model): ReadonlyArray<Job> =>
    n % 7 === 0 ? model.jobs : jobsOf(model)

export const manager = JobManager.JobManager
export const store = RunStore.RunStore

/** `done`, or the tag of the error. */
export const outcomeOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.either(effect), (either) => (either._tag === "Left" ? either.left._tag : "done"))

/** What a producer does, where the kind has producers. */
export const byProducer = (act: (producer: typeof Work.Producer.Service) => Effect.Effect<unknown, unknown>) =>
  Effect.flatMap(Effect.serviceOption(Work.Producer), Option.match({ onNone: () => Effect.void, onSome: act }))
