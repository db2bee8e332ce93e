/**
 * Adds costs, and shows them.
 */
import type { Cost, SpendingLimits } from "../domain/Cost.js"
import * as payload from "./payload.js"

export const nothing: Cost = { input: 0, cached: 0, output: 0 }

/** Rounds to a millionth of a dollar, so that sums are exact. */
export const rounded = (usd: number): number => Math.round(usd * 1e6) / 1e6

export const tokens = ({ cached, input, output }: Cost): number => input + cached + output

/** Whether money is missing for some of the tokens. */
const isUnpriced = (cost: Cost): boolean => cost.usd === undefined && tokens(cost) > 0

export const add = (a: Cost, b: Cost): Cost => {
  const isPriced = a.usd !== undefined || b.usd !== undefined
  const isApproximate =
    a.isApproximate === true || b.isApproximate === true || (isPriced && (isUnpriced(a) || isUnpriced(b)))
  return {
    input: a.input + b.input,
    cached: a.cached + b.cached,
    output: a.output + b.output,
    ...(isPriced && { usd: rounded((a.usd ?? 0) + (b.usd ?? 0)) }),
    ...(isApproximate && { isApproximate })
  }
}

/** Undefined if there is none. */
export const sum = (costs: Iterable<Cost | undefined>): Cost | undefined => {
  let all: Cost | undefined
  for (const cost of costs) if (cost !== undefined) all = all === undefined ? cost : add(all, cost)
  return all
}

/** A cost that may be any JSON, such as in the payload of an event. */
export const read = (value: unknown): Cost | undefined => {
  const [input, cached, output] = ["input", "cached", "output"].map((name) => payload.number(value, name))
  if (input === undefined || cached === undefined || output === undefined) return undefined
  const usd = payload.number(value, "usd")
  const isApproximate = payload.json(value, "isApproximate") === true
  return { input, cached, output, ...(usd !== undefined && { usd }), ...(isApproximate && { isApproximate }) }
}

/** `$1.20`; with more digits if it is less than a cent. */
export const usdText = (usd: number): string =>
  `$${usd === 0 || usd >= 0.01 ? usd.toFixed(2) : String(Number(usd.toFixed(6)))}`

/** `950`, `12.3k`, `4.56M`. */
export const tokensText = (tokens: number): string => {
  if (tokens < 1_000) return String(tokens)
  return tokens < 999_950 ? `${(tokens / 1_000).toFixed(1)}k` : `${(tokens / 1e6).toFixed(2)}M`
}

/** `~$1.20`, or the tokens if the money is unknown. */
export const short = (cost: Cost): string => {
  const about = cost.isApproximate === true ? "~" : ""
  return `${about}${cost.usd === undefined ? `${tokensText(tokens(cost))} tokens` : usdText(cost.usd)}`
}

/** `~$1.20, 12.3k tokens (1.2k input, 10.0k cached, 1.1k output)` */
export const long = (cost: Cost): string => {
  if (tokens(cost) === 0) return short(cost)
  const kinds = [
    `${tokensText(cost.input)} input`,
    `${tokensText(cost.cached)} cached`,
    `${tokensText(cost.output)} output`
  ]
  const all = cost.usd === undefined ? "" : `, ${tokensText(tokens(cost))} tokens`
  return `${short(cost)}${all} (${kinds.join(", ")})`
}

/** What amounts of money are. */
export const basis = "estimate, at API prices"

/** A cost, with what its amount is. */
export const explained = (cost: Cost): string => `${long(cost)}${cost.usd === undefined ? "" : `; ${basis}`}`

/** Reads a number of tokens such as `250000`, `800k` or `5M`; undefined if it is none. */
export const readTokens = (text: string): number | undefined => {
  const [, number, unit = ""] = /^(\d{1,12}(?:\.\d{1,6})?) ?([kM]?)$/.exec(text) ?? []
  const tokens = Math.round(Number(number) * ({ k: 1e3, M: 1e6 }[unit] ?? 1))
  return tokens >= 1 && tokens <= 1e12 ? tokens : undefined
}

/** The limits that a cost has reached. */
export const reached = (
  cost: Cost,
  { tokens: mostTokens, usd: mostUsd }: SpendingLimits
): SpendingLimits | undefined => {
  const isUsd = mostUsd !== undefined && (cost.usd ?? 0) >= mostUsd
  const isTokens = mostTokens !== undefined && tokens(cost) >= mostTokens
  return isUsd || isTokens ? { ...(isUsd && { usd: mostUsd }), ...(isTokens && { tokens: mostTokens }) } : undefined
}

/** `$20.00`, `5.00M tokens` */
export const limitsText = ({ tokens, usd }: SpendingLimits): string =>
  [
    ...(usd === undefined ? [] : [usdText(usd)]),
    ...(tokens === undefined ? [] : [`${tokensText(tokens)} tokens`])
  ].join(" and ")

/** `it has spent $20.41, $0.41 more than its limit` */
export const spentText = (cost: Cost, limits: SpendingLimits): string => {
  const overUsd = rounded((cost.usd ?? 0) - (limits.usd ?? Infinity))
  const overTokens = tokens(cost) - (limits.tokens ?? Infinity)
  const over = [
    ...(overUsd > 0 ? [usdText(overUsd)] : []),
    ...(overTokens > 0 ? [`${tokensText(overTokens)} tokens`] : [])
  ].join(" and ")
  const spent = limits.tokens === undefined ? short(cost) : long(cost)
  return `it has spent ${spent}${over === "" ? "" : `, ${over} more than that`}`
}

/** What is proposed in place of limits that a job has reached: twice as much. */
export const raised = ({ tokens, usd }: SpendingLimits): SpendingLimits => ({
  ...(usd !== undefined && { usd: rounded(usd * 2) }),
  ...(tokens !== undefined && { tokens: tokens * 2 })
})

/** The command by which a person raises the limits that a job has reached. */
export const resumeCommand = (id: string, limits: SpendingLimits): string => {
  const { tokens, usd } = raised(limits)
  return [
    `charlotte resume ${id}`,
    ...(usd === undefined ? [] : [`--usd ${usd}`]),
    ...(tokens === undefined ? [] : [`--tokens ${tokens}`])
  ].join(" ")
}
