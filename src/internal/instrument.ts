/**
 * Metrics of Effect's registry, from which the server reads them, and a tracer of the application exports them.
 */
import { Metric, MetricBoundaries, MetricLabel } from "effect"

export interface Labels {
  readonly [name: string]: string
}

/** `OtlpMetrics` takes the unit from a label of this name. */
export const unitLabel = "unit"

const made = new Map<string, ReadonlyArray<MetricLabel.MetricLabel>>()

/** The same array for the same labels, by which a metric remembers where it counts them; the registry keeps each set of labels anyway. */
export const tags = (labels: Labels, unit?: string): ReadonlyArray<MetricLabel.MetricLabel> => {
  const entries = Object.entries(unit === undefined ? labels : { ...labels, [unitLabel]: unit })
  const key = JSON.stringify(entries)
  const known = made.get(key)
  if (known !== undefined) return known
  const labelled = entries.map(([name, value]) => MetricLabel.make(name, value))
  made.set(key, labelled)
  return labelled
}

export const counter = (name: string, help: string, unit?: string) => {
  const metric = Metric.counter(name, { description: help, incremental: true })
  const add = (labels: Labels, value: number) => metric.unsafeUpdate(value, tags(labels, unit))
  return { name, help, unit, type: "counter" as const, add }
}

export const histogram = (name: string, help: string, boundaries: ReadonlyArray<number>) => {
  const metric = Metric.histogram(name, MetricBoundaries.fromIterable(boundaries), help)
  const record = (value: number, labels: Labels = {}) => metric.unsafeUpdate(value, tags(labels, "s"))
  /** Makes the histogram visible before its first value. */
  const show = () => void metric.unsafeValue(tags({}, "s"))
  return { name, help, unit: "s", type: "histogram" as const, record, show }
}
