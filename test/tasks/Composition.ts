/**
 * A manager of tasks over a file, as an application composes it; also in a program that is started to be killed.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Database, JobManager, RunStore } from "charlotte"
import { Agents, Git, ProcessRunner, TaskOrchestrator } from "charlotte/tasks"
import { Layer } from "effect"
import { type GitEnvironment, GitEnvironmentRef } from "../../src/git/GitEnvironment.js"
import { ParentEnvironment, type Variables } from "../../src/process/ChildEnvironment.js"

export interface Options {
  readonly profiles?: Agents.Settings["profiles"]
  /** Names of variables that agents and gates get. */
  readonly env?: ReadonlyArray<string>
  /** What is around the manager; the variables of this process unless it is said. */
  readonly around?: Variables
}

/** Its home is `charlotte` below the root, and beside it its database. */
export const charlotte = (
  { environment, root }: { readonly root: string; readonly environment: GitEnvironment },
  { around, env = [], profiles = [] }: Options = {}
) =>
  JobManager.layer().pipe(
    Layer.provideMerge(TaskOrchestrator.layer({ directory: `${root}/charlotte` })),
    Layer.provideMerge(
      Layer.mergeAll(
        Git.layer,
        ProcessRunner.layer,
        Agents.layer({ profiles, gates: { env }, file: `${root}/charlotte/config.yaml` })
      )
    ),
    Layer.provideMerge(RunStore.layer),
    Layer.provide(Database.layer({ filename: `${root}/charlotte.db` })),
    Layer.provide(Layer.succeed(GitEnvironmentRef, environment)),
    Layer.provide(around === undefined ? Layer.empty : Layer.succeed(ParentEnvironment, around)),
    Layer.provide(NodeContext.layer)
  )
