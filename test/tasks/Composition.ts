/**
 * A manager of task jobs over a database file, as an application composes it; also for programs that tests kill.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Database, JobManager, RunStore } from "charlotte"
import { Agents, Git, ProcessRunner, TaskOrchestrator } from "charlotte/tasks"
import { type Duration, Effect, identity, Layer } from "effect"
import { type GitEnvironment, GitEnvironmentRef } from "../../src/git/GitEnvironment.js"
import { ParentEnvironment, type Variables } from "../../src/process/ChildEnvironment.js"

export interface Options {
  readonly profiles?: Agents.Settings["profiles"]
  /** Names of environment variables that agents and gates inherit. */
  readonly env?: ReadonlyArray<string>
  /** The time limit of gates. */
  readonly gateTimeout?: Duration.Duration
  /** The most that may land. */
  readonly land?: Agents.Settings["land"]
  /** The environment of the manager; defaults to that of this process. */
  readonly around?: Variables
  /** Changes what the store does. */
  readonly store?: (store: RunStore.Service) => RunStore.Service
}

/** Its home is `charlotte` below the root, with the database beside it. */
export const charlotte = (
  { environment, root }: { readonly root: string; readonly environment: GitEnvironment },
  { around, env = [], gateTimeout, land, profiles = [], store = identity }: Options = {}
) =>
  JobManager.layer().pipe(
    Layer.provideMerge(TaskOrchestrator.layer({ directory: `${root}/charlotte` })),
    Layer.provideMerge(
      Layer.mergeAll(
        Git.layer,
        ProcessRunner.layer,
        Agents.layer({ profiles, gates: { env, timeout: gateTimeout }, land, file: `${root}/charlotte/config.yaml` })
      )
    ),
    Layer.provideMerge(Layer.effect(RunStore.RunStore, Effect.map(RunStore.RunStore, store))),
    Layer.provideMerge(RunStore.layer),
    Layer.provide(Database.layer({ filename: `${root}/charlotte.db` })),
    Layer.provide(Layer.succeed(GitEnvironmentRef, environment)),
    Layer.provide(around === undefined ? Layer.empty : Layer.succeed(ParentEnvironment, around)),
    Layer.provide(NodeContext.layer)
  )
