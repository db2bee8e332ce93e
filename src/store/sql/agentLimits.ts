/**
 * Statements on `charlotte_agent_limits` and `charlotte_turn_streaks`.
 */
import type { Connection } from "./Dialect.js"
import { DateTime, Effect, Option, Schema } from "effect"
import { AgentLimit, Kind } from "../../domain/AgentLimit.js"
import { TurnStreak } from "../../domain/TurnStreak.js"
import type { AgentLimitStore } from "../port/RunStoreService.js"
import { execute, query, upsert } from "./statements.js"

const select = query(
  Schema.Struct({
    agent: Schema.String,
    kind: Kind,
    reason: Schema.String,
    since: Schema.DateTimeUtcFromNumber,
    until: Schema.DateTimeUtcFromNumber,
    refusals: Schema.Number
  })
)

export const get = (connection: Connection, agent: string) =>
  Effect.map(
    select(
      connection,
      "SELECT agent, kind, reason, since, until, refusals FROM charlotte_agent_limits WHERE agent = ?",
      [agent]
    ),
    ([row]) => Option.map(Option.fromNullable(row), (row) => new AgentLimit(row, { disableValidation: true }))
  )

export const record = (connection: Connection, { agent, kind, reason, refusals, since, until }: AgentLimit) =>
  upsert(connection, "charlotte_agent_limits", {
    agent,
    kind,
    reason,
    since: DateTime.toEpochMillis(since),
    until: DateTime.toEpochMillis(until),
    refusals
  })

export const clear = (connection: Connection, agent: string) =>
  execute(connection, "DELETE FROM charlotte_agent_limits WHERE agent = ?", [agent])

const selectStreaks = query(
  Schema.Struct({
    ...TurnStreak.fields,
    at: Schema.DateTimeUtcFromNumber,
    answeredSince: Schema.transform(Schema.Number, Schema.Boolean, {
      decode: (value) => value === 1,
      encode: Number
    })
  })
)

export const streaks = (connection: Connection, agent: string) =>
  Effect.map(
    selectStreaks(
      connection,
      `SELECT job_id AS "jobId", agent, unit, task, kind, turns, wording, reason, at, answered_since AS "answeredSince"
       FROM charlotte_turn_streaks WHERE agent = ? ORDER BY at, job_id, unit, task`,
      [agent]
    ),
    (rows) => rows.map((row) => new TurnStreak(row, { disableValidation: true }))
  )

export const recordStreak = (connection: Connection, streak: TurnStreak) =>
  upsert(connection, "charlotte_turn_streaks", {
    job_id: streak.jobId,
    agent: streak.agent,
    unit: streak.unit,
    task: streak.task,
    kind: streak.kind,
    turns: streak.turns,
    wording: streak.wording,
    reason: streak.reason,
    at: DateTime.toEpochMillis(streak.at),
    answered_since: Number(streak.answeredSince)
  })

export const answered = (
  connection: Connection,
  { agent, jobId, task, unit }: Parameters<AgentLimitStore["answered"]>[0]
) =>
  Effect.zipRight(
    execute(
      connection,
      `DELETE FROM charlotte_turn_streaks
       WHERE agent = ? AND (kind = 'unreachable' OR job_id = ? AND unit = ? AND task = ?)`,
      [agent, jobId, unit, task]
    ),
    execute(connection, "UPDATE charlotte_turn_streaks SET answered_since = 1 WHERE agent = ?", [agent])
  )
