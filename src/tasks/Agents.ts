/**
 * The agents that can work on tasks: those of the configuration, the presets, and `script`, which runs the tasks' own `sh`
 * blocks. A job names one of them; its command never comes from the job.
 *
 * @since 0.1.0
 */
import { Array, Context, Effect, Layer, Order } from "effect"
import { Command, Script, type Agent } from "./agents/Agent.js"
import * as Executable from "./agents/Executable.js"
import { NoSuchAgent } from "./agents/NoSuchAgent.js"
import { presets } from "./agents/Presets.js"
import { type Profile, script } from "./agents/Profile.js"
import { ParentEnvironment } from "../process/ChildEnvironment.js"

export * as Agent from "./agents/Agent.js"
export { NoSuchAgent } from "./agents/NoSuchAgent.js"
export { presets } from "./agents/Presets.js"
export { Profile, script } from "./agents/Profile.js"

/** @since 0.1.0 */
export class Agents extends Context.Tag("charlotte/Agents")<Agents, Service>() {}

/** @since 0.1.0 */
export interface Service {
  /** All of them, in order. */
  readonly names: ReadonlyArray<string>

  /** Those whose command is on this machine, in order; nothing is run to find out. */
  readonly found: Effect.Effect<ReadonlyArray<string>>

  /** The agent of that name, if its command is on this machine. There is none that is chosen when nobody chooses. */
  readonly get: (name: string | undefined) => Effect.Effect<Agent, NoSuchAgent>

  /** What gates, setups and baselines get. */
  readonly gates: Gates
}

/** @since 0.1.0 */
export interface Gates {
  /** Names of variables that are passed on to them, besides the few that all get. */
  readonly env: ReadonlyArray<string>
}

/** @since 0.1.0 */
export interface Settings {
  /** Each name once. */
  readonly profiles: ReadonlyArray<Profile>
  readonly gates: Gates
  /** Where all this can be changed; it is named in errors. */
  readonly file: string
}

/** @since 0.1.0 */
export const make = (settings: Settings): Effect.Effect<Service> =>
  Effect.map(ParentEnvironment, ({ PATH }) => {
    const { file, gates } = settings
    const profiles = new Map(settings.profiles.map((profile) => [profile.name, profile]))
    const names = Array.sort([...profiles.keys(), script], Order.string)

    const isThere = (profile: Profile) => Executable.isThere(profile.command[0], PATH)

    const found = Effect.filter(names, (name) => {
      const profile = profiles.get(name)
      return profile === undefined ? Effect.succeed(name === script) : isThere(profile)
    })

    const fail = (data: Pick<NoSuchAgent, "reason" | "agent" | "command">) =>
      Effect.flatMap(found, (found) => new NoSuchAgent({ ...data, names, found, file }))

    const get = Effect.fn("Agents.get")(function* (name: string | undefined) {
      if (name === undefined) return yield* fail({ reason: "notChosen" })
      if (name === script) return Script({ env: gates.env })
      const profile = profiles.get(name)
      if (profile === undefined) return yield* fail({ reason: "unknown", agent: name })
      if (yield* isThere(profile)) return Command({ profile })
      return yield* fail({ reason: "missing", agent: name, command: profile.command[0] })
    })

    return Agents.of({ names, found, get, gates })
  })

/** @since 0.1.0 */
export const layer = (settings: Settings): Layer.Layer<Agents> => Layer.effect(Agents, make(settings))

/**
 * The agents that are known without configuration.
 *
 * @since 0.1.0
 */
export const layerPresets: Layer.Layer<Agents> = layer({
  profiles: presets,
  gates: { env: [] },
  file: "config.yaml of Charlotte's home directory"
})
