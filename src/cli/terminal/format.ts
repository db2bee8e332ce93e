/**
 * Numbers, durations and times for people.
 */
import { DateTime, Duration } from "effect"

/** `1 task`, `2 tasks`. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`

/** `0:07`, `12:34`, `1:02:03`: a duration of stable width. */
export const clock = (duration: Duration.DurationInput): string => {
  const seconds = Math.max(0, Math.floor(Duration.toSeconds(duration)))
  const two = (part: number) => String(part).padStart(2, "0")
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`
}

/** `0.4 s`, `12 s`, `3 min 4 s`, `2 h 5 min`. */
export const span = (duration: Duration.DurationInput): string => {
  const seconds = Math.max(0, Duration.toSeconds(duration))
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `12 s`, `3 min`, `2 h`, `5 d`: how long ago, in a column. */
export const age = (duration: Duration.DurationInput): string => {
  const seconds = Math.max(0, Math.floor(Duration.toSeconds(duration)))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}

/** `14:03:59`, in the given zone. */
export const timeOfDay = (at: DateTime.DateTime, zone: DateTime.TimeZone): string =>
  DateTime.formatIsoZoned(DateTime.setZone(at, zone)).slice(11, 19)

/** `2026-01-31 14:03:59`, in the given zone. */
export const dateTime = (at: DateTime.DateTime, zone: DateTime.TimeZone): string =>
  DateTime.formatIsoZoned(DateTime.setZone(at, zone)).slice(0, 19).replace("T", " ")

/** An abbreviated commit hash. */
export const short = (commit: string): string => commit.slice(0, 8)

/** The size of a plan, its target and its agent. */
export const overview = (plan: {
  readonly units: ReadonlyArray<{ readonly tasks: ReadonlyArray<unknown> }>
  readonly target: string
  readonly agent: string
}): string => {
  const tasks = plan.units.reduce((sum, { tasks }) => sum + tasks.length, 0)
  return `${count(plan.units.length, "unit")}, ${count(tasks, "task")} for ${plan.target}, agent ${plan.agent}`
}
