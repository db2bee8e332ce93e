/**
 * All that jobs of tasks run on, in a home directory: what the daemon is, and what a single `charlotte run` is for as long as
 * its job takes.
 */
import { Effect, Layer } from "effect"
import * as Database from "../store/Database.js"
import * as RunStore from "../store/RunStore.js"
import * as Git from "../tasks/Git.js"
import * as ProcessRunner from "../tasks/ProcessRunner.js"
import * as TaskOrchestrator from "../tasks/TaskOrchestrator.js"
import * as Configuration from "./Configuration.js"
import * as Home from "./Home.js"
import * as HomeLock from "./HomeLock.js"

const database = Layer.unwrapEffect(Effect.map(Home.Home, ({ database }) => Database.layer({ filename: database })))

const orchestrator = Layer.unwrapEffect(Effect.map(Home.Home, ({ directory }) => TaskOrchestrator.layer({ directory })))

const settings = Layer.merge(Git.layer, Configuration.agents).pipe(Layer.provideMerge(Configuration.layer))

/** What a job would be checked against, for who only wants to know: nothing is made or changed. */
export const check = Layer.merge(RunStore.layerMemory, settings).pipe(Layer.provideMerge(Home.layerUntouched))

/** The home is this process's alone, and what is recorded in it is open. */
export const store = (options: HomeLock.Options) =>
  ProcessRunner.layer.pipe(
    Layer.provideMerge(RunStore.layer),
    Layer.provideMerge(database),
    Layer.provideMerge(HomeLock.layer(options)),
    Layer.provideMerge(settings),
    Layer.provideMerge(Home.layer)
  )

/** The manager of the jobs; on `store`, which is to outlive it. */
export const manager = (options: Configuration.ManagerOptions) =>
  Layer.provide(Configuration.jobManager(options), orchestrator)
