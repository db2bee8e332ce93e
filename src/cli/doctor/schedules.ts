/**
 * Finds the schedules whose ticks are skipped or overdue, and a wrong clock.
 */
import { DateTime, Effect } from "effect"
import { overdueSeconds, type Schedule } from "../../domain/Schedule.js"
import { clockDifference, notableDifference } from "../../internal/clockDifference.js"
import * as plainText from "../../internal/plainText.js"
import * as RunStore from "../../store/RunStore.js"
import * as Finding from "./Finding.js"

/** Longer than the store of a process that runs the schedule is unreachable as a rule. */
const overdueAfter = 5 * 60

export const check = Effect.gen(function* () {
  const { clockAhead, now: time, schedules } = yield* RunStore.RunStore
  const [now, ahead] = [yield* time, yield* clockAhead]
  const all = (yield* schedules.list).flatMap((schedule) => findings(schedule, now))
  return Math.abs(ahead) > notableDifference ? [wrongClock(ahead), ...all] : all
})

const wrongClock = (ahead: number) =>
  Finding.warning(
    "clock",
    `the clock of this machine is ${clockDifference(ahead)} that of the database, by which jobs go`,
    "set the clock, such as with NTP"
  )

const warning = (message: string, remedy: string) =>
  Finding.warning("schedules", plainText.line(message), plainText.line(remedy))

const findings = (schedule: Schedule, now: DateTime.Utc): ReadonlyArray<Finding.Finding> => {
  const { kind, lastReset, lastSkipped, lastTick, name, pausedAt } = schedule
  const shown = `${kind}/${name}`
  // A later tick has started a job again.
  const isSkipped =
    lastSkipped !== undefined && lastTick !== undefined && DateTime.Equivalence(lastSkipped.tick, lastTick)
  return [
    ...(pausedAt === undefined
      ? []
      : [
          warning(`the schedule ${shown} is paused`, `start its jobs again with: charlotte schedules unpause ${shown}`)
        ]),
    ...(isSkipped
      ? [
          warning(
            `the last tick of the schedule ${shown} has started no job: ${lastSkipped.reason}`,
            "see charlotte schedules list"
          )
        ]
      : []),
    ...(lastReset !== undefined && DateTime.lessThan(now, lastReset.from)
      ? [
          warning(
            `the schedule ${shown} had ticks until ${DateTime.formatIso(lastReset.from)} by a clock that was ahead, and went back`,
            "ticks until then have a second job; keep the clocks right, such as with NTP"
          )
        ]
      : []),
    ...(overdueSeconds(schedule, now) > overdueAfter
      ? [
          warning(
            `a tick of the schedule ${shown} is overdue: no process runs it`,
            `start the process that runs it; if there is none any more: charlotte schedules remove ${shown}`
          )
        ]
      : [])
  ]
}
