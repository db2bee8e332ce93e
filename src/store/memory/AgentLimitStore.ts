/**
 * The part of the in-memory store for the usage limits of agents.
 */
import { Effect, Option } from "effect"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import { Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { AgentLimitStore } from "../port/AgentLimitStore.js"

export const make = (isCurrent: (jobId: JobId, attempt: number) => boolean): AgentLimitStore => {
  const limits = new Map<string, AgentLimit>()

  const write = (
    { attempt, jobId }: { readonly jobId: JobId; readonly attempt: number },
    change: () => void
  ): Effect.Effect<void, Superseded> =>
    Effect.suspend(() => (isCurrent(jobId, attempt) ? Effect.sync(change) : new Superseded({ jobId, attempt })))

  return {
    get: (agent) => Effect.sync(() => Option.fromNullable(limits.get(agent))),
    record: ({ limit, ...by }) => write(by, () => limits.set(limit.agent, limit)),
    clear: ({ agent, ...by }) => write(by, () => limits.delete(agent))
  }
}
