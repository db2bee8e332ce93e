/**
 * What a unit waits for while none of its agents may begin a turn.
 */
import { Array, DateTime, Effect } from "effect"
import type { AgentLimit } from "../../domain/AgentLimit.js"
import type { StoreError } from "../../domain/errors.js"
import * as plainText from "../../internal/plainText.js"
import * as race from "../../internal/race.js"
import type { Unit } from "../plan/Plan.js"
import { isReported } from "./AgentGate.js"
import type { AgentUnavailable } from "./AgentTurns.js"
import type { RunContext } from "./RunContext.js"
import * as UnitActivity from "./UnitActivity.js"
import type { WriteError } from "./WriteError.js"

/** Why an agent is unavailable, and until when; without a time, until a person resumes the job. */
export const of = (cause: AgentUnavailable): UnitActivity.Wait => {
  switch (cause._tag) {
    case "AgentUnauthorized":
    case "PromptTooLong":
      return { reason: cause.reason }
    case "BudgetReached":
      return { reason: cause.reason, ...(cause.limits !== undefined && { limits: cause.limits }) }
    case "AgentProbed":
      return { reason: `another turn finds out whether ${cause.limit.agent} works again` }
    case "AgentLimited":
      return untilReset(cause.limit)
    case "TaskUnanswered": {
      const { agent, reason, turns, until } = cause
      return {
        reason: `${agent} got no answer from its model ${turns} times in a row: ${reason}; no attempt used`,
        until,
        tentative: true
      }
    }
  }
}

const what: { readonly [K in AgentLimit["kind"]]: string } = {
  usage: "is at its usage limit",
  funds: "has nothing left to spend",
  outage: "does not reach its service",
  unanswered: "gets no answer from its model"
}

const untilReset = (limit: AgentLimit): UnitActivity.Wait => {
  const { agent, kind, reason, refusals, until } = limit
  const said = plainText.line(reason).slice(0, 300)
  const unknown = isReported(limit) ? "; it does not say when that resets" : "; no attempt used"
  return {
    reason: `${agent} ${what[kind]}: ${refusals === 0 ? said : `${said.replace(/\.$/, "")}${unknown}`}`,
    until,
    ...(refusals > 0 && { tentative: true, ...(kind === "funds" && { isForPerson: true }) })
  }
}

/** The wait for the time at which an agent may be available again. */
const reset =
  ({ taskAgents }: RunContext) =>
  (cause: AgentUnavailable): ReadonlyArray<Effect.Effect<void, StoreError>> => {
    if (cause._tag === "TaskUnanswered") return [UnitActivity.sleepUntil(cause.until, Effect.succeed(false))]
    if (cause._tag !== "AgentLimited") return []
    return [UnitActivity.sleepUntil(cause.limit.until, taskAgents.isFree(cause.limit.agent))]
  }

/** Waits until one of the agents may be available again. */
export const until = (
  ctx: RunContext,
  unit: Unit,
  activity: UnitActivity.UnitActivity,
  causes: Array.NonEmptyReadonlyArray<AgentUnavailable>
): Effect.Effect<void, WriteError> =>
  Effect.gen(function* () {
    const probes = causes.flatMap((cause) => (cause._tag === "AgentProbed" ? [cause.ended] : []))
    // It ends within minutes, so that is no reason to park. Another agent may reset earlier.
    if (Array.isNonEmptyArray(probes)) return yield* race.first([...probes, ...causes.flatMap(reset(ctx))])
    const waits = Array.map(causes, (cause) =>
      cause._tag === "AgentLimited" ? { ...of(cause), isOver: ctx.taskAgents.isFree(cause.limit.agent) } : of(cause)
    )
    const reason = text(waits)
    // Recorded, so that no turn begins before a person resumes the job, even if it continues for other units. At a limit of what the
    // job may spend none begins anyway.
    const isKept = waits.some(({ limits }) => limits !== undefined)
    if (!isKept && UnitActivity.earliest(waits) === undefined) yield* ctx.progress.changeUnit(unit.id, { reason })
    yield* noted(ctx, unit, activity, waits)
  })

/** Waits until a person resumes the job, if an earlier attempt recorded that the unit waits for one. */
export const forPerson = (
  ctx: RunContext,
  unit: Unit,
  activity: UnitActivity.UnitActivity
): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => {
    const { reason } = ctx.progress.unit(unit.id)
    return reason === undefined ? Effect.void : noted(ctx, unit, activity, [{ reason }])
  })

const noted = (
  { emit }: RunContext,
  { id }: Unit,
  activity: UnitActivity.UnitActivity,
  waits: Array.NonEmptyReadonlyArray<UnitActivity.Wait>
) => {
  const first = UnitActivity.earliest(waits)
  const payload = {
    reason: text(waits),
    ...(first !== undefined && { ...first, until: DateTime.formatIso(first.until) })
  }
  return Effect.zipRight(emit("unit.waiting", payload, { unit: id }), activity.awaitAgent(...waits))
}

const text = (waits: ReadonlyArray<UnitActivity.Wait>): string => waits.map(({ reason }) => reason).join("; ")
