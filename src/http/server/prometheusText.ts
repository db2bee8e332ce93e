/**
 * Metrics in the text format of Prometheus, version 0.0.4.
 */
import type { MetricState } from "effect"

export interface Sample {
  readonly labels?: { readonly [name: string]: string }
  readonly value: number
}

interface About {
  readonly name: string
  readonly help: string
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')

const number = (value: number): string => {
  if (Number.isNaN(value)) return "NaN"
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf"
}

const line = (name: string, { labels = {}, value }: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(text)}"`)
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}`
}

const family = (type: string, { help, name }: About, lines: ReadonlyArray<string>): string =>
  [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n")

export const gauge = (about: About, ...samples: ReadonlyArray<Sample>): string =>
  family(
    "gauge",
    about,
    samples.map((sample) => line(about.name, sample))
  )

export const counter = (about: About, ...samples: ReadonlyArray<Sample>): string =>
  family(
    "counter",
    about,
    samples.map((sample) => line(about.name, sample))
  )

export interface Series {
  readonly labels?: { readonly [name: string]: string }
  readonly state: MetricState.MetricState.Histogram
}

export const histogram = (about: About, ...series: ReadonlyArray<Series>): string =>
  family(
    "histogram",
    about,
    series.flatMap(({ labels = {}, state }) => {
      const bucket = ([bound, value]: readonly [number, number]) =>
        line(`${about.name}_bucket`, { labels: { ...labels, le: number(bound) }, value })
      return [
        ...state.buckets.filter(([bound]) => Number.isFinite(bound)).map(bucket),
        bucket([Infinity, state.count]),
        line(`${about.name}_sum`, { labels, value: state.sum }),
        line(`${about.name}_count`, { labels, value: state.count })
      ]
    })
  )
