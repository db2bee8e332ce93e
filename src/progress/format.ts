/**
 * Numbers, durations and times for people.
 */

const two = (part: number): string => String(part).padStart(2, "0")

/** `0:07`, `12:34`, `1:02:03`, `3 d 4 h`: a duration of stable width. */
export const clock = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`
}

/** `80 ms`, `0.4 s`, `12 s`, `3 min 4 s`, `2 h 5 min`: a measured time. */
export const span = (millis: number): string => {
  if (millis < 100) return `${Math.round(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `12 s`, `3 min`, `2 h`, `5 d`: how long ago. */
export const age = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}

/** `in 40 s`, `in 90 min`, `in 5 h`, `in 3 d`: how far ahead. */
export const ahead = (millis: number): string => {
  const minutes = millis / 60_000
  if (minutes < 1) return `in ${Math.max(0, Math.ceil(millis / 1_000))} s`
  if (minutes < 100) return `in ${Math.ceil(minutes)} min`
  return minutes < 48 * 60 ? `in ${Math.round(minutes / 60)} h` : `in ${Math.round(minutes / 1_440)} d`
}

/** `14:03:59`, in the zone of the browser. */
export const timeOfDay = (millis: number): string => {
  const at = new Date(millis)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** `2026-01-31 14:03:59`, in the zone of the browser. */
export const dateTime = (millis: number): string => {
  const at = new Date(millis)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${timeOfDay(millis)}`
}

/** `2026-01-31`, in the zone of the browser. */
export const day = (millis: number): string => dateTime(millis).slice(0, 10)

/** `21:05` today, `tomorrow 21:05`, or `2026-01-31 21:05`. */
export const clockTime = (millis: number, now: number): string => {
  const at = new Date(millis)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  const dayOf = (time: number): number => new Date(time).setHours(0, 0, 0, 0)
  const days = Math.round((dayOf(millis) - dayOf(now)) / 86_400_000)
  if (days === 0) return time
  return days === 1 ? `tomorrow ${time}` : `${day(millis)} ${time}`
}

/** `1 job`, `2 jobs`. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? noun : plural}`

/** An abbreviated commit hash. */
export const short = (commit: string): string => commit.slice(0, 8)
