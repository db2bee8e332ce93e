/**
 * How many events arrived in each of the last sixty seconds.
 */
import { signal } from "@preact/signals"

const kept = 60

export interface Rate {
  /** Oldest first; the current second is not included. */
  readonly seconds: ReadonlyArray<number>
}

export const rate = signal<Rate>({ seconds: Array.from({ length: kept }, () => 0) })

let current = 0

export const count = (events: number): void => {
  current += events
}

/** Called each second. */
export const next = (): void => {
  rate.value = { seconds: [...rate.value.seconds.slice(1), current] }
  current = 0
}
