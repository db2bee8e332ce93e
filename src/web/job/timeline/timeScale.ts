/**
 * The part of a job's time that its timeline shows: zooming, moving, and the positions of ticks.
 */

/** Milliseconds. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The shortest visible range, in milliseconds. */
const shortest = 1_000

const clamp = ({ from, to }: Range, bounds: Range): Range => {
  const length = Math.min(to - from, bounds.to - bounds.from)
  const start = Math.min(Math.max(from, bounds.from), bounds.to - length)
  return { from: start, to: start + length }
}

/** A factor below 1 shows less time; `centre` stays where it is. */
export const zoom = (range: Range, factor: number, centre: number, bounds: Range): Range => {
  const length = Math.max(shortest, (range.to - range.from) * factor)
  const share = (centre - range.from) / (range.to - range.from)
  const from = centre - length * share
  return clamp({ from, to: from + length }, bounds)
}

/** Moves by a fraction of the visible range. */
export const move = (range: Range, share: number, bounds: Range): Range => {
  const by = (range.to - range.from) * share
  return clamp({ from: range.from + by, to: range.to + by }, bounds)
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const steps = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * day)
]

export interface Tick {
  readonly at: number
  readonly label: string
}

const two = (part: number): string => String(part).padStart(2, "0")

/** Ticks at round times of this browser's time zone, at most `most` of them. */
export const ticks = ({ from, to }: Range, most: number): ReadonlyArray<Tick> => {
  const step = steps.find((step) => (to - from) / step <= most) ?? (to - from) / Math.max(1, most)
  const offset = new Date(from).getTimezoneOffset() * minute
  const first = Math.ceil((from - offset) / step) * step + offset
  const found: Array<Tick> = []
  for (let at = first; at <= to; at += step) found.push({ at, label: label(new Date(at), step) })
  return found
}

const label = (at: Date, step: number): string => {
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  if (step < minute) return `${time}:${two(at.getSeconds())}`
  const isMidnight = at.getHours() === 0 && at.getMinutes() === 0
  return step < day && !isMidnight ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}
