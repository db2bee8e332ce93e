/**
 * The task orchestrator with git and the configured agents. It imports most of a manager's code, so `Layers` loads it with the first
 * job.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, Layer } from "effect"
import type { Orchestrator } from "../../manager/Orchestrator.js"
import * as RunStore from "../../store/RunStore.js"
import * as Agents from "../../tasks/Agents.js"
import * as Git from "../../git/Git.js"
import type { ProcessRunner } from "../../process/ProcessRunner.js"
import * as TaskOrchestrator from "../../tasks/TaskOrchestrator.js"
import * as Configuration from "../config/Configuration.js"
import * as Home from "../home/Home.js"
import * as Secrets from "../home/Secrets.js"

/** The configured agents, as of the last submission. */
export const agents: Layer.Layer<Agents.Agents, never, Configuration.Configuration> = Layer.effect(
  Agents.Agents,
  Effect.gen(function* () {
    const { agents, current } = yield* Configuration.Configuration
    const secrets = yield* Effect.serviceOption(Secrets.Secrets)
    const read = Effect.tap(
      Effect.mapBoth(current, { onSuccess: ({ agents }) => agents, onFailure: ({ problems }) => problems }),
      (settings) => Secrets.learn(secrets, settings)
    )
    return yield* Agents.makeReloading(agents, read)
  })
)

const surroundings = Layer.merge(Git.layer, agents)

/** For a check without a job: nothing is created or changed. */
export const check = Layer.merge(RunStore.layerMemory, surroundings).pipe(
  Layer.provideMerge(Configuration.layer),
  Layer.provideMerge(Home.layerUntouched)
)

/** The orchestrator, as `Layers` runs it. */
export const orchestrator: Layer.Layer<
  Orchestrator,
  never,
  Configuration.Configuration | Home.Home | ProcessRunner | RunStore.RunStore | Secrets.Secrets | FileSystem | Path
> = Layer.unwrapEffect(
  Effect.map(Effect.all([Home.Home, Secrets.Secrets]), ([{ directory }, { text }]) =>
    TaskOrchestrator.layer({ directory, hide: text })
  )
).pipe(Layer.provide(surroundings))
