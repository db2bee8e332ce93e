/**
 * `config.yaml` of the home directory: agents, environment variables of gates, the database, and limits of the manager. The file and all of its
 * keys are optional.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Layer, Option } from "effect"
import { lstatSync } from "node:fs"
import type { AlreadyManaged, StoreError } from "../../domain/errors.js"
import * as JobManager from "../../manager/JobManager.js"
import type { Orchestrator } from "../../manager/Orchestrator.js"
import type { RunStore } from "../../store/RunStore.js"
import { presets } from "../../tasks/agents/Presets.js"
import type { InvalidConfiguration, Service } from "./ConfigurationFile.js"
import { variables } from "./variables.js"
import { Home } from "../home/Home.js"

export class Configuration extends Context.Tag("charlotte/Configuration")<
  Configuration,
  Service & {
    /** The configuration as it is in the file now. */
    readonly current: Effect.Effect<Service, InvalidConfiguration>
  }
>() {}

/** The default of the manager. */
export const defaultMaxJobs = 10

/** The YAML reader is loaded only if there is something to read: every start waits for this, and most homes have no file. */
export const make: Effect.Effect<Service, InvalidConfiguration, Home | FileSystem> = Effect.gen(function* () {
  const { config: file } = yield* Home
  const around = yield* Effect.orDie(variables)
  const isThere = !isMissing(file)
  if (!isThere && !Object.values(around).some(Option.isSome)) {
    const agents = { profiles: presets, gates: { env: [] }, file }
    const unset = { maxJobs: undefined, stopGrace: undefined, retention: undefined }
    return { agents, notify: [], schedules: [], database: undefined, node: {}, port: {}, ...unset }
  }
  const { read } = yield* Effect.promise(() => import("./ConfigurationFile.js"))
  return yield* read(file, { isThere, around })
})

/** If `lstat` fails, the file counts as present: reading it reports the problem. */
const isMissing = (file: string): boolean => {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

export const layer: Layer.Layer<Configuration, InvalidConfiguration, Home | FileSystem> = Layer.effect(
  Configuration,
  Effect.gen(function* () {
    const current = Effect.provide(make, yield* Effect.context<Home | FileSystem>())
    return { ...(yield* current), current }
  })
)

export type ManagerOptions = Pick<JobManager.Options, "dispatch" | "onLost" | "recovery" | "retention">

/** Adds the configured limits and retention to the options of a manager. */
export const withLimits = (
  options: ManagerOptions
): Effect.Effect<ManagerOptions & Pick<JobManager.Options, "maxJobs" | "stopGrace">, never, Configuration> =>
  Effect.map(Configuration, ({ maxJobs, retention, stopGrace }) => ({
    ...options,
    ...(maxJobs !== undefined && { maxJobs }),
    ...(stopGrace !== undefined && { stopGrace }),
    ...(retention !== undefined && options.retention === undefined && { retention })
  }))

/** A manager with the configured limits and retention. */
export const jobManager = (
  options: ManagerOptions
): Layer.Layer<JobManager.JobManager, StoreError | AlreadyManaged, Orchestrator | RunStore | Configuration> =>
  Layer.unwrapEffect(Effect.map(withLimits(options), JobManager.layer))
