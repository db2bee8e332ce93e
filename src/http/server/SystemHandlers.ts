/**
 * Handlers of the endpoints about the server as a whole.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { DateTime, Effect, Number as Numbers, Option } from "effect"
import { decodeTime } from "ulid"
import { logChange } from "../../domain/Sender.js"
import { now } from "../../internal/now.js"
import { Api } from "../contract/Api.js"
import { AgentStatus, Latency, Minute, ReachedLimit, RetriedSubscriber, System } from "../contract/System.js"
import * as Activity from "./Activity.js"
import { Extension } from "./Extension.js"
import { Managers } from "./Managers.js"
import * as Schedules from "./schedules.js"

export interface Options {
  readonly maxJobs?: number
  /** The agents that jobs can use, sorted. */
  readonly agents?: Effect.Effect<ReadonlyArray<{ readonly name: string; readonly installed: boolean }>>
}

const unchecked = { disableValidation: true }

const latencies = (minutes: ReadonlyArray<Activity.Minute>) => {
  const of = (which: "waits" | "durations") =>
    Option.getOrUndefined(Option.map(Activity.merged(minutes, which), (found) => new Latency(found, unchecked)))
  const [wait, duration] = [of("waits"), of("durations")]
  return { ...(wait && { wait }), ...(duration && { duration }) }
}

const toMinute = (counted: Activity.Minute): Minute => {
  const { cancelled, completed, failed, minute } = counted
  const at = DateTime.unsafeMake(minute * 60_000)
  return new Minute({ at, completed, failed, cancelled, ...latencies([counted]) }, unchecked)
}

export const layer = ({ agents: configured = Effect.succeed([]), maxJobs }: Options) =>
  HttpApiBuilder.group(Api, "charlotteSystem", (handlers) =>
    Effect.gen(function* () {
      const activity = yield* Activity.Activity
      const extension = yield* Extension
      const { all, store } = yield* Managers

      const system = Effect.gen(function* () {
        const capacities = maxJobs === undefined ? [] : yield* Effect.forEach(all, ({ manager }) => manager.maxJobs)
        const active = yield* Effect.forEach(all, ({ manager }) => manager.activeCount)
        const health = yield* Effect.forEach(all, ({ manager }) => manager.health)
        const overdue = health.flatMap(({ overdue = [] }) => overdue)
        const pending = yield* Effect.forEach(all, ({ kind }) => store.pending(kind))
        const backlogs = yield* Effect.forEach(all, ({ kind }) => store.backlog(kind))
        const time = yield* now
        const oldest = backlogs.flatMap(({ oldest }) => Option.toArray(oldest)).sort()[0]
        const minutes = activity.minutes(Activity.minuteOf(time))
        return new System(
          {
            ...(maxJobs !== undefined && { capacity: Numbers.sumAll(capacities) }),
            active: Numbers.sumAll(active),
            pending: Numbers.sumAll(pending),
            parked: Numbers.sumAll(backlogs.map(({ parked }) => parked)),
            ...(oldest && { oldestPending: Math.max(0, DateTime.toEpochMillis(time) - decodeTime(oldest)) }),
            ...(overdue.length > 0 && { overdue }),
            since: activity.since,
            ...latencies(minutes),
            minutes: minutes.map(toMinute)
          },
          unchecked
        )
      })

      const agents = Effect.gen(function* () {
        const time = yield* now
        return yield* Effect.forEach(yield* configured, ({ installed, name }) =>
          Effect.map(store.agentLimits.get(name), (known) => {
            const refused = extension.refusal(name)
            const limit = Option.filter(known, ({ until }) => DateTime.greaterThan(until, time))
            return new AgentStatus(
              {
                name,
                installed,
                inUse: extension.turns(name),
                ...(Option.isSome(limit) && { limit: new ReachedLimit(limit.value, unchecked) }),
                ...(refused !== undefined && { refused })
              },
              unchecked
            )
          })
        )
      })

      const schedules = Schedules.make(store)

      return handlers
        .handle("schedules", () => schedules.list)
        .handle("runSchedule", schedules.run)
        .handle("pauseSchedule", schedules.pause)
        .handle("unpauseSchedule", schedules.unpause)
        .handle("removeSchedule", schedules.remove)
        .handle("system", () => system)
        .handle("agents", () => agents)
        .handle("subscribers", () => store.subscribers.list)
        .handle("retrySubscriber", ({ path: { name } }) =>
          Effect.flatMap(now, (at) =>
            Effect.map(
              store.subscribers.retry({ name, at }),
              (retried) => new RetriedSubscriber({ retried }, unchecked)
            )
          )
        )
        .handle("removeSubscriber", ({ path: { name }, urlParams: { by } }) =>
          Effect.zipLeft(store.subscribers.remove(name), logChange(`subscriber "${name}" is removed`, by))
        )
    })
  )
