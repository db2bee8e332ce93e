/**
 * Counts of durations in bins, each 10 % wider than the one before, so that quantiles are accurate to within 5 % in bounded memory.
 */
import { Option } from "effect"

const growth = Math.log(1.1)

/** Durations below 1 ms share a bin. */
const binOf = (millis: number): number => (millis < 1 ? 0 : 1 + Math.floor(Math.log(millis) / growth))

const valueOf = (bin: number): number => (bin === 0 ? 0 : Math.exp((bin - 0.5) * growth))

export class Histogram {
  readonly #bins = new Map<number, number>()
  #max = 0

  /** In milliseconds; a negative duration, after the clock was set back, counts as 0. */
  add(millis: number): void {
    const bin = binOf(millis)
    this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + 1)
    this.#max = Math.max(this.#max, millis)
  }

  /** The quantiles over all of the histograms; none if they are empty. */
  static quantiles(
    histograms: ReadonlyArray<Histogram>
  ): Option.Option<{ readonly p50: number; readonly p95: number; readonly max: number }> {
    const bins = new Map<number, number>()
    for (const one of histograms) for (const [bin, count] of one.#bins) bins.set(bin, (bins.get(bin) ?? 0) + count)
    const sorted = [...bins].sort(([a], [b]) => a - b)
    const total = sorted.reduce((sum, [, count]) => sum + count, 0)
    if (total === 0) return Option.none()
    const max = Math.max(...histograms.map((one) => one.#max))
    const at = (quantile: number): number => {
      let left = Math.ceil(quantile * total)
      const found = sorted.find(([, count]) => (left -= count) <= 0)
      return Math.min(max, Math.round(valueOf(found?.[0] ?? 0)))
    }
    return Option.some({ p50: at(0.5), p95: at(0.95), max })
  }
}
