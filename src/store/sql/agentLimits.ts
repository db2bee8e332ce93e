/**
 * Statements on `charlotte_agent_limits`.
 */
import type { Connection } from "./Dialect.js"
import { DateTime, Effect, Option, Schema } from "effect"
import { AgentLimit } from "../../domain/AgentLimit.js"
import { execute, query } from "./statements.js"

const select = query(
  Schema.Struct({
    agent: Schema.String,
    class: Schema.Literal("usageLimit", "funds"),
    reason: Schema.String,
    until: Schema.DateTimeUtcFromNumber,
    refusals: Schema.Number
  })
)

export const get = (connection: Connection, agent: string) =>
  Effect.map(
    select(connection, "SELECT agent, class, reason, until, refusals FROM charlotte_agent_limits WHERE agent = ?", [
      agent
    ]),
    ([row]) => Option.map(Option.fromNullable(row), (row) => new AgentLimit(row, { disableValidation: true }))
  )

export const record = (connection: Connection, { agent, class: name, reason, refusals, until }: AgentLimit) =>
  execute(
    connection,
    `INSERT INTO charlotte_agent_limits (agent, class, reason, until, refusals) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (agent) DO UPDATE SET class = excluded.class, reason = excluded.reason, until = excluded.until,
       refusals = excluded.refusals`,
    [agent, name, reason, DateTime.toEpochMillis(until), refusals]
  )

export const clear = (connection: Connection, agent: string) =>
  execute(connection, "DELETE FROM charlotte_agent_limits WHERE agent = ?", [agent])
