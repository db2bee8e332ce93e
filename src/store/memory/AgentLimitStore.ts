/**
 * The part of the in-memory store for the limits of agents, and their turns without a verdict.
 */
import { DateTime, Effect, Option, Order } from "effect"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import { Superseded } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { TurnStreak } from "../../domain/TurnStreak.js"
import type { AgentLimitStore } from "../port/AgentLimitStore.js"

const keyOf = ({ agent, jobId, task, unit }: Pick<TurnStreak, "jobId" | "agent" | "unit" | "task">) =>
  JSON.stringify([jobId, agent, unit, task])

const byTime = Order.combine(
  Order.mapInput(DateTime.Order, ({ at }: TurnStreak) => at),
  Order.mapInput(Order.string, keyOf)
)

export const make = (
  isCurrent: (jobId: JobId, attempt: number) => boolean
): AgentLimitStore & { readonly forget: (jobId: JobId) => void } => {
  const limits = new Map<string, AgentLimit>()
  const streaks = new Map<string, TurnStreak>()

  const write = (
    { attempt, jobId }: { readonly jobId: JobId; readonly attempt: number },
    change: () => void
  ): Effect.Effect<void, Superseded> =>
    Effect.suspend(() => (isCurrent(jobId, attempt) ? Effect.sync(change) : new Superseded({ jobId, attempt })))

  const of = (agent: string) => [...streaks.values()].filter((streak) => streak.agent === agent).sort(byTime)

  return {
    get: (agent) => Effect.sync(() => Option.fromNullable(limits.get(agent))),
    record: ({ limit, ...by }) => write(by, () => limits.set(limit.agent, limit)),
    clear: ({ agent, ...by }) => write(by, () => limits.delete(agent)),
    streaks: (agent) => Effect.sync(() => of(agent)),
    recordStreak: ({ attempt, streak }) =>
      write({ jobId: streak.jobId, attempt }, () => streaks.set(keyOf(streak), streak)),
    answered: (turn) =>
      write(turn, () => {
        for (const streak of of(turn.agent)) {
          const key = keyOf(streak)
          if (key === keyOf(turn) || streak.kind === "unreachable") streaks.delete(key)
          else streaks.set(key, new TurnStreak({ ...streak, answeredSince: true }, { disableValidation: true }))
        }
      }),
    forget: (jobId) => {
      for (const [key, streak] of streaks) if (streak.jobId === jobId) streaks.delete(key)
    }
  }
}
