/**
 * Reads the settings of telemetry from the standard `OTEL_*` variables. An unusable value counts as not set, and is reported.
 */
import type { Variables } from "../process/ChildEnvironment.js"

const signals = ["traces", "metrics", "logs"] as const

export type Signal = (typeof signals)[number]

const protocols = ["http/json", "http/protobuf"] as const

export interface Target {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly protocol: (typeof protocols)[number]
  /** Milliseconds per request. */
  readonly timeout: number
}

export interface Settings {
  /** Only for exported signals. */
  readonly targets: { readonly [S in Signal]?: Target }
  readonly serviceName: string
  readonly attributes: { readonly [name: string]: string }
  /** Milliseconds between two exports. */
  readonly intervals: { readonly [S in Signal]: number }
}

export interface Read {
  /** Undefined if nothing is exported. */
  readonly settings: Settings | undefined
  /** A line for each unusable value. */
  readonly problems: ReadonlyArray<string>
}

const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"

export const read = (variables: Variables): Read => {
  const problems: Array<string> = []
  /** An empty value counts as not set. */
  const get = (name: string): string | undefined => variables[name]?.trim() || undefined

  const oneOf = <A extends string>(name: string, known: readonly [A, ...ReadonlyArray<A>], usual: A = known[0]): A => {
    const value = get(name)?.toLowerCase()
    const found = known.find((one) => one === value)
    if (value !== undefined && found === undefined) problems.push(unusable(name, value, `use ${known.join(" or ")}`))
    return found ?? usual
  }

  const millis = (name: string, usual: number): number => {
    const value = get(name)
    if (value === undefined) return usual
    if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
    problems.push(unusable(name, value, `use a number of milliseconds, such as ${usual}`))
    return usual
  }

  const url = (name: string): string | undefined => {
    const value = get(name)
    if (value === undefined) return undefined
    if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value
    problems.push(unusable(name, value, "use an http or https address, such as http://localhost:4318"))
    return undefined
  }

  /** As in `a=1,b=2`, with percent-encoded values. Values may be secret, so a problem quotes none. */
  const pairs = (name: string): Record<string, string> => {
    const entries = (get(name) ?? "")
      .split(",")
      .filter((pair) => pair.trim() !== "")
      .map(pairOf)
    if (entries.some((entry) => entry === undefined)) problems.push(`${name} is not a list of NAME=VALUE; use a=1,b=2`)
    return Object.fromEntries(entries.flatMap((entry) => (entry === undefined ? [] : [entry])))
  }

  const isSet = (name: string) => get(name) !== undefined
  const ofSignal = (signal: Signal, name: string) => `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`
  const isAsked = isSet(endpoint) || signals.some((signal) => isSet(ofSignal(signal, "ENDPOINT")))
  if (!isAsked || oneOf("OTEL_SDK_DISABLED", ["false", "true"]) === "true") return { settings: undefined, problems }

  const base = url(endpoint)
  const headers = pairs("OTEL_EXPORTER_OTLP_HEADERS")
  const protocol = oneOf("OTEL_EXPORTER_OTLP_PROTOCOL", protocols)
  const timeout = millis("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000)
  const targets = signals.flatMap((signal): ReadonlyArray<readonly [Signal, Target]> => {
    if (oneOf(`OTEL_${signal.toUpperCase()}_EXPORTER`, ["otlp", "none"]) === "none") return []
    const to = url(ofSignal(signal, "ENDPOINT")) ?? (base && `${base.replace(/\/+$/, "")}/v1/${signal}`)
    if (to === undefined) return []
    const target = {
      url: to,
      headers: { ...headers, ...pairs(ofSignal(signal, "HEADERS")) },
      protocol: oneOf(ofSignal(signal, "PROTOCOL"), protocols, protocol),
      timeout: millis(ofSignal(signal, "TIMEOUT"), timeout)
    }
    return [[signal, target]]
  })
  const { "service.name": name = "charlotte", ...attributes } = pairs("OTEL_RESOURCE_ATTRIBUTES")
  const settings: Settings = {
    targets: Object.fromEntries(targets),
    serviceName: get("OTEL_SERVICE_NAME") ?? name,
    attributes,
    intervals: {
      traces: millis("OTEL_BSP_SCHEDULE_DELAY", 5_000),
      metrics: millis("OTEL_METRIC_EXPORT_INTERVAL", 60_000),
      logs: millis("OTEL_BLRP_SCHEDULE_DELAY", 1_000)
    }
  }
  return { settings: targets.length === 0 ? undefined : settings, problems }
}

const unusable = (name: string, value: string, advice: string): string =>
  `${name} is ${JSON.stringify(value)}, which cannot be used; ${advice}`

const pairOf = (pair: string): readonly [string, string] | undefined => {
  const [, name = "", value = ""] = /^\s*([^=\s]+)\s*=(.*)$/.exec(pair) ?? []
  try {
    return name === "" ? undefined : [decodeURIComponent(name), decodeURIComponent(value.trim())]
  } catch {
    return undefined
  }
}
