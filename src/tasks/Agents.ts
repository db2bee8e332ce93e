/**
 * The agents that can run tasks: the configured agents, the presets, and `script`, which runs the tasks' own `sh` blocks. A job
 * names one of them; the command never comes from the job.
 *
 * @since 0.1.0
 */
import { Array, Context, Duration, Effect, Layer, Order } from "effect"
import { Command, Script, type Agent } from "./agents/Agent.js"
import * as Executable from "./agents/Executable.js"
import { NoSuchAgent } from "./agents/NoSuchAgent.js"
import { presets } from "./agents/Presets.js"
import { type Profile, script } from "./agents/Profile.js"
import type { Landing } from "../domain/JobConfig.js"
import type { Diagnostic } from "../yaml/Diagnostic.js"
import { ParentEnvironment } from "../process/ChildEnvironment.js"

export * as Agent from "./agents/Agent.js"
export { NoSuchAgent } from "./agents/NoSuchAgent.js"
export { presets } from "./agents/Presets.js"
export { Profile, script } from "./agents/Profile.js"

/**
 * The agents that are available to jobs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Agents extends Context.Tag("charlotte/Agents")<Agents, Service>() {}

/**
 * The operations of `Agents`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** All agents, sorted. */
  readonly names: ReadonlyArray<string>

  /** The agents whose command is installed on this machine, sorted; no command is run. */
  readonly found: Effect.Effect<ReadonlyArray<string>>

  /** The agent of that name, if its command is installed on this machine. There is no default: without a name it fails. */
  readonly get: (name: string | undefined) => Effect.Effect<Agent, NoSuchAgent>

  /** What begins the command lines of the agent of that name and its gates; nothing if it is not known. */
  readonly wrap: (name: string) => ReadonlyArray<string>

  /** The environment and the time limit of gates, setup and baseline commands. */
  readonly gates: { readonly env: ReadonlyArray<string>; readonly timeout: Duration.Duration }

  /** The most that may land, and what lands if neither the job nor `charlotte.yaml` says; `auto` if undefined. */
  readonly land?: Landing | undefined

  /** Reads the configuration again, if it can change. Fails if it is invalid; the previous one then stays in effect. */
  readonly reload: Effect.Effect<void, ReadonlyArray<Diagnostic>>
}

/**
 * The configuration of gates, setup and baseline commands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Gates {
  /** Names of environment variables that they inherit, besides the few that every process gets. */
  readonly env: ReadonlyArray<string>
  /** The time limit of one command; 1 hour by default, so that a hanging command does not block its job for ever. */
  readonly timeout?: Duration.Duration | undefined
}

/**
 * The configured agents and gates.
 *
 * @since 0.1.0
 * @category options
 */
export interface Settings {
  /** Names are unique. */
  readonly profiles: ReadonlyArray<Profile>
  readonly gates: Gates
  /** The most that may land; see `Service`. */
  readonly land?: Landing | undefined
  /** The configuration file, for error messages. */
  readonly file: string
}

const defaultTimeout = Duration.hours(1)

/**
 * Agents from settings; looks for their commands on the PATH of this process.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (settings: Settings): Effect.Effect<Service> =>
  Effect.map(ParentEnvironment, ({ PATH }) => {
    const { file } = settings
    const { env, timeout = defaultTimeout } = settings.gates
    const profiles = new Map(settings.profiles.map((profile) => [profile.name, profile]))
    const names = Array.sort([...profiles.keys(), script], Order.string)

    /** The programs that it needs and that are not installed. */
    const missing = ({ command, wrap }: Profile) =>
      Effect.filter([...(wrap?.slice(0, 1) ?? []), command[0]], (program) => Executable.isInstalled(program, PATH), {
        negate: true
      })

    const found = Effect.filter(names, (name) => {
      const profile = profiles.get(name)
      return profile === undefined
        ? Effect.succeed(name === script)
        : Effect.map(missing(profile), (programs) => programs.length === 0)
    })

    const fail = (data: Pick<NoSuchAgent, "reason" | "agent" | "command">) =>
      Effect.flatMap(found, (found) => new NoSuchAgent({ ...data, names, found, file }))

    const get = Effect.fnUntraced(function* (name: string | undefined) {
      if (name === undefined) return yield* fail({ reason: "notChosen" })
      if (name === script) return Script({ env })
      const profile = profiles.get(name)
      if (profile === undefined) return yield* fail({ reason: "unknown", agent: name })
      const [command] = yield* missing(profile)
      return command === undefined ? Command({ profile }) : yield* fail({ reason: "missing", agent: name, command })
    })

    const wrap = (name: string) => profiles.get(name)?.wrap ?? []

    return Agents.of({ names, found, get, wrap, gates: { env, timeout }, land: settings.land, reload: Effect.void })
  })

/**
 * Agents whose configuration can change.
 *
 * @since 0.2.0
 * @category constructors
 */
export const makeReloading = (
  initial: Settings,
  read: Effect.Effect<Settings, ReadonlyArray<Diagnostic>>
): Effect.Effect<Service> =>
  Effect.map(make(initial), (first) => {
    let current = first
    return Agents.of({
      get names() {
        return current.names
      },
      get gates() {
        return current.gates
      },
      get land() {
        return current.land
      },
      found: Effect.suspend(() => current.found),
      get: (name) => Effect.suspend(() => current.get(name)),
      wrap: (name) => current.wrap(name),
      reload: Effect.map(Effect.flatMap(read, make), (next) => {
        current = next
      })
    })
  })

/**
 * Agents from settings.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (settings: Settings): Layer.Layer<Agents> => Layer.effect(Agents, make(settings))

/**
 * The agents without any configuration: the presets and `script`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPresets: Layer.Layer<Agents> = layer({
  profiles: presets,
  gates: { env: [] },
  file: "config.yaml in Charlotte's home directory"
})
