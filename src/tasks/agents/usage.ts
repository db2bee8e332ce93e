/**
 * What a turn of an agent has cost, from the records that it prints.
 *
 * Claude Code reports the tokens of each message, in one or more records of the same message, and the money of its process in its
 * `result`; since 2.1.277, the money of a resumed session includes what it has cost before. Codex reports the tokens of its thread,
 * including what they were before it was resumed, and no money.
 */
import { Effect, Option, Schema } from "effect"
import { StringDecoder } from "node:string_decoder"
import type { Cost } from "../../domain/Cost.js"
import * as OutputReader from "../../process/OutputReader.js"
import * as costs from "../../progress/cost.js"
import type { Profile } from "./Profile.js"

const Count = Schema.optionalWith(Schema.NonNegativeInt, { nullable: true, default: () => 0 })

const ClaudeUsage = Schema.Struct({
  input_tokens: Count,
  cache_creation_input_tokens: Count,
  cache_read_input_tokens: Count,
  output_tokens: Count
})

const Record = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("system"),
    subtype: Schema.Literal("init"),
    claude_code_version: Schema.optional(Schema.NullOr(Schema.String))
  }),
  Schema.Struct({
    type: Schema.Literal("assistant"),
    message: Schema.Struct({ id: Schema.String, usage: ClaudeUsage })
  }),
  Schema.Struct({ type: Schema.Literal("result"), total_cost_usd: Schema.NonNegative.pipe(Schema.finite()) }),
  Schema.Struct({
    type: Schema.Literal("turn.completed"),
    usage: Schema.Struct({ input_tokens: Count, cached_input_tokens: Count, output_tokens: Count })
  })
)

const decode = Schema.decodeOption(Schema.parseJson(Record))

/** Most records, such as the output of tools, have nothing to count, so they are not parsed. */
const mayCount = (line: string): boolean =>
  line.startsWith("{") && (line.includes("_tokens") || line.includes("total_cost_usd") || line.includes('"init"'))

/** What the output of a turn reports. */
export interface Usage {
  /** The tokens of the turn, or those of its whole session. */
  readonly tokens: { readonly of: "turn" | "session"; readonly cost: Cost } | undefined
  /** The money of its process, or of its whole session. */
  readonly usd: number | undefined
  /** The version of Claude Code. */
  readonly version: string | undefined
  /** Whether a part of the output is missing. */
  readonly isPartial: boolean
}

const make = () => {
  const messages = new Map<string, Cost>()
  let thread: Cost | undefined
  let usd: number | undefined
  let version: string | undefined
  let isPartial = false

  const add = (record: typeof Record.Type): void => {
    switch (record.type) {
      case "system":
        version = record.claude_code_version ?? version
        return
      case "result":
        usd = record.total_cost_usd
        return
      case "turn.completed": {
        const { cached_input_tokens: cached, input_tokens: all, output_tokens: output } = record.usage
        thread = { input: Math.max(0, all - cached), cached, output }
        return
      }
      case "assistant": {
        const { id, usage } = record.message
        const before = messages.get(id) ?? costs.nothing
        // While a message arrives, its records have fewer tokens.
        messages.set(id, {
          input: Math.max(before.input, usage.input_tokens + usage.cache_creation_input_tokens),
          cached: Math.max(before.cached, usage.cache_read_input_tokens),
          output: Math.max(before.output, usage.output_tokens)
        })
      }
    }
  }

  return {
    line: (text: string): void => {
      if (text.startsWith("[charlotte: ")) isPartial = true
      else if (mayCount(text)) Option.map(decode(text), add)
    },
    usage: (): Usage => {
      const sum = costs.sum(messages.values())
      const tokens =
        thread !== undefined ? { of: "session" as const, cost: thread } : sum && { of: "turn" as const, cost: sum }
      return { tokens, usd, version, isPartial }
    }
  }
}

/** Longer lines have nothing to count. */
const longest = 16 * 1024 * 1024

/** Reads the output of a turn, also of one that was cut off. */
export const read = (log: string): Effect.Effect<Usage> =>
  Effect.gen(function* () {
    const output = yield* OutputReader.find(log)
    const decoder = new StringDecoder("utf8")
    const reader = make()
    let rest = ""
    let position = OutputReader.positionAt(0)
    for (;;) {
      const piece = yield* OutputReader.next(output, position)
      if (piece === undefined) break
      position = piece.position
      const lines = `${rest}${decoder.write(Buffer.from(piece.bytes))}`.split("\n")
      rest = (lines.pop() ?? "").slice(0, longest)
      for (const line of lines) reader.line(line)
    }
    reader.line(rest)
    return reader.usage()
  })

/** From this version on, the money of a resumed session includes what it has cost before. */
const cumulativeSince = [2, 1, 277]

/** Undefined if the version is unknown. */
const isCumulative = (version: string | undefined): boolean | undefined => {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(version ?? "") ?? []
  if (parts.length === 0) return undefined
  const differing = parts.map((part, at) => Number(part) - (cumulativeSince[at] ?? 0)).find((by) => by !== 0)
  return differing === undefined || differing > 0
}

export interface Counted {
  /** What the turn has cost. */
  readonly cost: Cost
  /** What its session has cost since it began. */
  readonly total: Cost
}

const priced = ({ cached, input, output }: Cost, prices: NonNullable<Profile["prices"]>): number =>
  costs.rounded((input * prices.input + cached * prices.cached + output * prices.output) / 1e6)

/** The tokens since the last total of the session; a smaller total is that of a new count. */
const since = (tokens: Cost, before: Cost): Cost => {
  const isNew = tokens.input < before.input || tokens.cached < before.cached || tokens.output < before.output
  return isNew
    ? tokens
    : {
        input: tokens.input - before.input,
        cached: tokens.cached - before.cached,
        output: tokens.output - before.output
      }
}

/** The money of a turn, and that of its session, whose last total was `before`. */
const money = (usd: number, before: number | undefined, version: string | undefined) => {
  if (before === undefined) return { usd, total: usd, isApproximate: false }
  const cumulative = isCumulative(version)
  const isDifference = cumulative !== false && usd >= before
  return {
    usd: isDifference ? usd - before : usd,
    total: cumulative === false ? before + usd : usd,
    isApproximate: cumulative === undefined
  }
}

/** The cost of a turn that has resumed a session with this total, if it has; undefined if its output shows none. */
export const count = (
  { isPartial, tokens, usd, version }: Usage,
  { before, prices }: { readonly before: Cost | undefined; readonly prices: Profile["prices"] }
): Counted | undefined => {
  if (tokens === undefined && usd === undefined) return undefined
  const base = before ?? costs.nothing
  const all = tokens?.cost ?? costs.nothing
  const own = tokens?.of === "session" ? since(all, base) : all
  const total = tokens?.of === "session" ? all : costs.add(base, own)
  const reported = usd === undefined ? undefined : money(usd, before?.usd, version)
  const spent = reported?.usd ?? (prices && priced(own, prices))
  // A process that is killed does not save what it has spent, so its successor does not report that.
  const known = reported?.total ?? before?.usd
  const isApproximate = isPartial || reported?.isApproximate === true
  return {
    cost: {
      input: own.input,
      cached: own.cached,
      output: own.output,
      ...(spent !== undefined && { usd: costs.rounded(spent) }),
      ...(isApproximate && { isApproximate })
    },
    total: {
      input: total.input,
      cached: total.cached,
      output: total.output,
      ...(known !== undefined && { usd: costs.rounded(known) })
    }
  }
}
