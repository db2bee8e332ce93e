/**
 * Which agents may work on a task, with which model: `agent` and `model` in `charlotte.yaml`, in the file of a unit and in a task.
 *
 * @since 0.2.0
 */
import { Array, Schema } from "effect"
import type { Decoded } from "../../yaml/decodeYaml.js"
import { Name, optional } from "../../yaml/fields.js"

/** One message for every invalid value. */
const must = (message: string) => ({ message: () => ({ message, override: true }) })

/** It becomes an argument of the agent's command, so it cannot be a flag. */
const ModelName = Schema.String.pipe(Schema.pattern(/^[^\s\p{Cc}-][^\s\p{Cc}]{0,199}$/u)).annotations(
  must("must be the name of a model, as text without spaces")
)

/**
 * An agent that may work on a task, and the model that it uses; without one, the agent chooses.
 *
 * @since 0.2.0
 * @category models
 */
export class AgentChoice extends Schema.Class<AgentChoice>("charlotte/AgentChoice")({
  /** The name of its profile. */
  agent: Name,
  model: Schema.optional(ModelName)
}) {}

/** The keys of a file. */
export const fields = {
  agent: optional(
    Schema.Union(Name, Schema.NonEmptyArray(Name)).annotations(
      must("must be the name of an agent, or a list of names, such as [claude, codex]")
    )
  ),
  model: optional(ModelName)
}

interface Named {
  readonly name: string
  readonly line: number
}

/** What one file says. */
export interface Level {
  readonly file: string
  /** In the order in which they are tried; empty if the file names none. */
  readonly agents: ReadonlyArray<Named>
  readonly model?: Named
}

export const levelOf = (
  file: string,
  { line, value: { agent, model } }: Pick<Decoded<Schema.Struct.Type<typeof fields>>, "line" | "value">
): Level => ({
  file,
  agents: Array.ensure(agent ?? []).map((name, index) => ({
    name,
    line: typeof agent === "string" ? line("agent") : line("agent", index)
  })),
  ...(model !== undefined && { model: { name: model, line: line("model") } })
})

export interface Position {
  readonly file: string
  readonly line: number
}

/** A choice, with the positions of its parts; an agent that the job itself names has none. */
export interface PlacedChoice {
  readonly choice: AgentChoice
  readonly agentAt?: Position
  readonly modelAt?: Position
}

/**
 * The agents for a task, from what its file, the file of its unit and `charlotte.yaml` say, in this order. The first of them that
 * names agents decides, unless the job names one. A model is only for the agents that are named with it or above it.
 */
export const resolve = (levels: ReadonlyArray<Level>, ofJob: string | undefined): ReadonlyArray<PlacedChoice> => {
  /** The level that names the agents, seen from a level. */
  const naming = (from: number) =>
    levels
      .slice(from)
      .filter(({ agents }) => agents.length > 0)
      .slice(0, 1)
  const modelOf = (agent: string) =>
    levels.find(
      ({ model }, index) =>
        model !== undefined && naming(index).every(({ agents }) => agents.some(({ name }) => name === agent))
    )
  const agents: ReadonlyArray<{ readonly name: string; readonly at?: Position }> =
    ofJob === undefined
      ? naming(0).flatMap(({ agents, file }) => agents.map(({ line, name }) => ({ name, at: { file, line } })))
      : [{ name: ofJob }]
  return Array.dedupeWith(agents, (a, b) => a.name === b.name).map(({ at, name }) => {
    const { file = "", model } = modelOf(name) ?? {}
    return {
      choice: new AgentChoice({ agent: name, model: model?.name }),
      ...(at !== undefined && { agentAt: at }),
      ...(model !== undefined && { modelAt: { file, line: model.line } })
    }
  })
}
