/**
 * The session of the agent at a task: what a turn resumes, and what the next one can.
 */
import { Effect, Option } from "effect"
import type { TaskSession } from "../../domain/Work.js"
import * as Agent from "../agents/Agent.js"
import type { Profile } from "../agents/Profile.js"
import type * as Prompt from "../agents/Prompt.js"
import * as Session from "../agents/Session.js"
import type { Task } from "../plan/Plan.js"
import type { RunContext } from "./RunContext.js"
import type { Worker } from "./TaskAgents.js"

/** The profile of the agent, if the next turn may resume the session of this one. */
export const profileOf = ({ snapshot }: RunContext, { session }: Task, { agent }: Worker): Profile | undefined => {
  const mode = session ?? snapshot.plan.settings.session
  return Agent.$is("Command")(agent) && agent.profile.resume !== undefined && mode === "resume"
    ? agent.profile
    : undefined
}

export interface Resumable {
  readonly id: string
  /** The attempt of which its last prompt was part; undefined if no turn is known to have read it. */
  readonly lastAttempt: number | undefined
}

/** The session that a turn in a directory can resume. The log of a turn that was cut off names a session that no record has. */
export const resumable = ({ format, name }: Profile, session: TaskSession | undefined, directory: string) =>
  Effect.gen(function* () {
    if (session === undefined || session.agent !== name || session.directory !== directory) return undefined
    const named = Option.getOrUndefined(yield* Session.inLog(format, session.log))
    const id = named ?? session.id
    return id === undefined ? undefined : { id, lastAttempt: named === undefined ? undefined : session.attempt }
  })

/** What happened since the last turn of a session. */
export const since = (
  { lastAttempt }: Resumable,
  attempt: number,
  previous: Option.Option<Prompt.Previous>
): Prompt.Since => {
  if (Option.isSome(previous) && (lastAttempt === undefined || lastAttempt < attempt)) return previous.value
  return lastAttempt === 0 ? "retried" : "cutOff"
}
