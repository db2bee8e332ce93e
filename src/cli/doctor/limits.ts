/**
 * Lists the agents that begin no turn for now, and the tasks at which an agent got no answer from its model.
 */
import { DateTime, Effect, Option } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import * as plainText from "../../internal/plainText.js"
import { untilTime } from "../../progress/waiting.js"
import * as RunStore from "../../store/RunStore.js"
import * as AgentWait from "../../tasks/run/AgentWait.js"
import { AgentLimited, TaskUnanswered } from "../../tasks/run/AgentGate.js"
import * as turnStreaks from "../../tasks/run/turnStreaks.js"
import * as format from "../terminal/format.js"
import { timeZone } from "../terminal/timeZone.js"
import * as Finding from "./Finding.js"

export const check = Effect.gen(function* () {
  const { agentLimits } = yield* RunStore.RunStore
  const zone = yield* timeZone
  const now = yield* DateTime.now
  const time = (at: DateTime.Utc) => format.dateTime(at, zone)
  // An invalid configuration is another finding.
  const profiles = Option.match(yield* Effect.option(Configuration.make), {
    onNone: () => [],
    onSome: ({ agents }) => agents.profiles
  })
  const found = yield* Effect.forEach(profiles, ({ name }) =>
    Effect.gen(function* () {
      const limits = Option.toArray(yield* agentLimits.get(name)).map((limit) => {
        const next = DateTime.greaterThan(limit.until, now)
          ? untilTime(time(limit.until), limit.refusals > 0)
          : "and can be tried now"
        return finding(`${AgentWait.of(new AgentLimited({ limit })).reason}; since ${time(limit.since)}, ${next}`)
      })
      const streaks = (yield* agentLimits.streaks(name)).filter(turnStreaks.isStopped).map((streak) => {
        const { agent, at, jobId, reason, task, turns, unit } = streak
        const until = turnStreaks.until(streak)
        const wait = AgentWait.of(new TaskUnanswered({ agent, turns, reason, until })).reason
        return finding(
          `${wait}, at task ${task} of unit ${unit} of ${jobId}; last at ${time(at)}, waits ${untilTime(time(until), true)}`
        )
      })
      return [...limits, ...streaks]
    })
  )
  return found.flat()
})

const finding = (message: string) =>
  Finding.warning("agents", plainText.line(message), "none needed: it is tried then; charlotte resume JOB tries it now")
