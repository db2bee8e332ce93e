/**
 * What turns draw and what jobs may spend: no turn begins at or above a limit, and in the end each job has recorded what its turns have
 * drawn.
 */
import type { Cost, SpendingLimits } from "../../../src/domain/Cost.js"
import { limitsSignal } from "../../../src/domain/Run.js"
import * as costs from "../../../src/progress/cost.js"
import type { Database } from "../Database.js"
import type { Machine } from "../Machine.js"
import type { Random } from "../Random.js"
import { isObject, number, text } from "../rows.js"
import type * as Service from "./Service.js"

/** What a turn reports, as far as its output shows it. */
export interface Bill {
  /** What the record of its first message says about that. */
  readonly begins: () => object
  /** What the record says with which it ends by itself. */
  readonly ends: () => object
}

export interface Money {
  /** The version of Claude Code. */
  readonly version: string
  /** A process of an agent begins. */
  readonly begins: (turn: {
    readonly agent: Service.AgentName
    readonly job: string
    readonly place: string
    readonly session: string
    /** The process that has started it. */
    readonly by: number
  }) => Bill
  /** An event of a job is committed. */
  readonly take: (job: string, type: string, payload: unknown) => void
  /** Each job has recorded what its turns have drawn. */
  readonly check: () => void
  /** How often a person has set other limits. */
  readonly raises: () => number
}

/** What jobs may spend, if that is limited. */
export const limits = (random: Random) => ({
  ...(random.chance(0.5) && { usd: random.between(10, 200) / 100 }),
  ...(random.chance(0.25) && { tokens: random.between(2_000, 30_000) })
})

/** Per million tokens, for an agent that reports no money. */
export const prices = { input: 100, cached: 10, output: 500 } as const

/** Limits as they are recorded. */
export const limitsOf = (value: unknown): SpendingLimits => {
  const [usd, tokens] = [number(value, "usd"), number(value, "tokens")]
  return { ...(usd > 0 && { usd }), ...(tokens > 0 && { tokens }) }
}

export const make = ({ nameOf, random, violate }: Machine, database: Database): Money => {
  /** Whether the money of a resumed session includes what it has cost before. */
  const isCumulative = random.chance(0.5)
  const version = isCumulative ? "2.1.278" : "2.1.276"
  const sessions = new Map<string, Cost>()
  const drawn = new Map<string, Map<number, Cost>>()
  const spent = new Map<string, Cost>()
  const set = new Map<string, SpendingLimits>()
  let messages = 0
  let raises = 0

  const draw = (job: string, by: number, cost: Cost) => {
    const own = drawn.get(job) ?? new Map<number, Cost>()
    drawn.set(job, own.set(by, costs.add(own.get(by) ?? costs.nothing, cost)))
  }

  /** The limits of a job, as a person has set them last. */
  const current = (job: string): SpendingLimits => {
    const planned =
      "SELECT json_extract(submission, '$.plan.settings.limits') AS limits FROM charlotte_runs WHERE id = ?"
    const found = set.get(job) ?? limitsOf(JSON.parse(text(database.query(planned, job)[0], "limits") || "{}"))
    set.set(job, found)
    return found
  }

  const checkLimits = (job: string, cost: Cost, what: string) => {
    const reached = costs.reached(cost, current(job))
    if (reached !== undefined)
      violate(`${what} begins at ${costs.long(cost)}, with a limit of ${costs.limitsText(reached)}`)
  }

  const amount = (): Cost => ({
    input: random.between(100, 2_000),
    cached: random.between(0, 4_000),
    output: random.between(10, 500)
  })

  /** It reports the tokens of each message, and money at its end. */
  const claude = (draw: (cost: Cost) => void, session: string): Bill => {
    const id = `m${++messages}`
    const { cached, input, output } = amount()
    const usd = random.between(1, 40) / 100
    return {
      begins: () => {
        draw({ input, cached, output })
        const usage = { input_tokens: input, cache_read_input_tokens: cached, output_tokens: output }
        return { id, usage }
      },
      ends: () => {
        draw({ ...costs.nothing, usd })
        const all = costs.add(sessions.get(session) ?? costs.nothing, { ...costs.nothing, usd })
        sessions.set(session, all)
        return { total_cost_usd: isCumulative ? all.usd : usd }
      }
    }
  }

  /** It reports the tokens of its whole thread at its end. */
  const codex = (draw: (cost: Cost) => void, session: string): Bill => {
    const own = amount()
    return {
      begins: () => ({}),
      ends: () => {
        const millionths = own.input * prices.input + own.cached * prices.cached + own.output * prices.output
        draw({ ...own, usd: costs.rounded(millionths / 1e6) })
        const { cached, input, output } = costs.add(sessions.get(session) ?? costs.nothing, own)
        sessions.set(session, { cached, input, output })
        return { usage: { input_tokens: input + cached, cached_input_tokens: cached, output_tokens: output } }
      }
    }
  }

  return {
    version,
    begins: ({ agent, by, job, place, session }) => {
      // What this process has started may have ended without being recorded yet; what earlier ones have started is recorded.
      const before = costs.sum([...(drawn.get(job) ?? [])].flatMap(([other, cost]) => (other === by ? [] : [cost])))
      checkLimits(job, before ?? costs.nothing, `a turn at ${place}`)
      return (agent === "claude" ? claude : codex)((cost) => draw(job, by, cost), session)
    },
    take: (job, type, payload) => {
      const before = spent.get(job) ?? costs.nothing
      if (type === "task.agent.started") checkLimits(job, before, `a turn of ${nameOf(job)}`)
      const cost = type === "task.spent" && isObject(payload) ? costs.read(payload["cost"]) : undefined
      if (cost !== undefined) spent.set(job, costs.add(before, cost))
      if (type !== "job.signalled" || !isObject(payload) || payload["name"] !== limitsSignal) return
      raises += 1
      set.set(job, { ...current(job), ...limitsOf(payload["payload"]) })
    },
    check: () => {
      const show = ({ cached, input, output, usd = 0 }: Cost) => costs.long({ cached, input, output, usd })
      const recorded = new Map<string, Cost | undefined>()
      for (const row of database.query("SELECT job_id, cost FROM charlotte_tasks")) {
        const [job, cost] = [text(row, "job_id"), costs.read(JSON.parse(text(row, "cost") || "null"))]
        recorded.set(job, costs.sum([recorded.get(job), cost]))
      }
      for (const [job, cost = costs.nothing] of recorded) {
        const all = costs.sum(drawn.get(job)?.values() ?? []) ?? costs.nothing
        for (const [name, found] of [
          ["its tasks", cost],
          ["its events", spent.get(job) ?? costs.nothing]
        ] as const)
          if (show(found) !== show(all))
            violate(`${nameOf(job)} has spent ${show(found)} by ${name}, and its turns have drawn ${show(all)}`)
      }
    },
    raises: () => raises
  }
}
