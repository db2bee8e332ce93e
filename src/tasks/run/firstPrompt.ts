/**
 * What the first turn at a task says to its agent.
 */
import { Option } from "effect"
import * as Agent from "../agents/Agent.js"
import * as answered from "../agents/answered.js"
import * as Prompt from "../agents/Prompt.js"
import type { Task } from "../plan/Plan.js"
import * as Protection from "../plan/Protection.js"
import type { Settings } from "../plan/Settings.js"

/** What is protected while a task is worked on. */
export const protectionOf = (task: Task, { protect }: Settings): Protection.Protection => task.protect ?? protect

/** A task in the terms of its prompt. */
export const about = (task: Task, settings: Settings): Prompt.About & { readonly gate: string } => ({
  text: task.prompt,
  file: task.file,
  gate: task.backpressure,
  protected: Protection.describe(protectionOf(task, settings))
})

/** The `sh` blocks of a task report no failures of an agent: all of their output belongs to the task. */
export const formatOf = (agent: Agent.Agent) => (Agent.$is("Command")(agent) ? agent.profile.format : undefined)

/** What the agent prints when it refuses a turn, by its profile. */
export const limitsOf = (agent: Agent.Agent) => (Agent.$is("Command")(agent) ? agent.profile.limits : undefined)

/** Whether the agent may ask a person: what it says can be read, and the plan does not forbid it. */
export const isAsking = ({ questions }: Settings, agent: Agent.Agent): boolean =>
  questions === "ask" && answered.hasMessages(formatOf(agent))

/** The whole prompt; none for `script`, which runs the `sh` blocks of the task. */
export const make = (task: Task, settings: Settings, agent: Agent.Agent): Option.Option<string> =>
  Agent.$is("Script")(agent)
    ? Option.none()
    : Option.some(
        Prompt.make(about(task, settings), Option.none(), Option.none(), { mayAsk: isAsking(settings, agent) })
      )
