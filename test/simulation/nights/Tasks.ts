/**
 * The orchestrator of tasks on a repository and files in memory, with plans that are made here and agents of any profile.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Duration, Effect, Layer } from "effect"
import { Git } from "../../../src/git/Git.js"
import { Orchestrator } from "../../../src/manager/Orchestrator.js"
import { Agent, Agents, presets, type Profile } from "../../../src/tasks/Agents.js"
import * as PlanSnapshot from "../../../src/tasks/run/PlanSnapshot.js"
import * as TaskOrchestrator from "../../../src/tasks/TaskOrchestrator.js"
import type { Life } from "../Life.js"
import type { Machine } from "../Machine.js"
import * as Repository from "../Repository.js"
import type { Files } from "./Files.js"
import type { At } from "./Plans.js"

export interface Options {
  readonly names: ReadonlyArray<string>
  /** The profile of an agent, made from that of its name. */
  readonly profile: (preset: Profile) => Profile
  readonly plan: (at: At) => PlanSnapshot.PlanSnapshot
}

export const orchestrator = (
  world: { readonly machine: Machine; readonly files: Files; readonly repository: Repository.Repository },
  { names, plan, profile }: Options
) => {
  const { files, machine, repository } = world
  const agents = Layer.succeed(Agents, {
    wrap: () => [],
    names: [...names],
    found: Effect.succeed([...names]),
    get: (name) =>
      Effect.suspend(() => {
        const preset = presets.find((preset) => preset.name === name)
        return preset === undefined
          ? Effect.dieMessage("no such agent")
          : Effect.succeed(Agent.Command({ profile: profile(preset) }))
      }),
    gates: { env: [], timeout: Duration.hours(1) },
    reload: Effect.void
  })
  return (life: Life) =>
    Layer.effect(
      Orchestrator,
      Effect.map(Orchestrator, (tasks) =>
        Orchestrator.of({
          ...tasks,
          check: (config, stored) =>
            Effect.suspend(() => {
              const target = Repository.targets.find((target) => target === config.targetBranch)
              const base = target && repository.at(target)
              if (stored !== undefined || target === undefined || base === undefined)
                return tasks.check?.(config, stored) ?? Effect.succeed({})
              const made = plan({ at: machine.wallClock(), target, base })
              return Effect.succeed({ ...PlanSnapshot.key(made), submission: PlanSnapshot.encode(made) })
            })
        })
      )
    ).pipe(
      Layer.provide(TaskOrchestrator.layer({ directory: "/home" })),
      Layer.provide([
        agents,
        Layer.succeed(FileSystem, files.service),
        Path.layer,
        Layer.succeed(Git, repository.git(life))
      ])
    )
}
