/**
 * The settings of the groups of kinds, over a session and a writer.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { GroupSettings, GroupStore } from "../port/GroupStore.js"
import type { Batch } from "./Batch.js"
import type { Connection } from "./Dialect.js"
import * as groups from "./groups.js"
import type { Lanes } from "./Lanes.js"
import type { Session } from "./Session.js"
import { execute, nullable, query } from "./statements.js"

const selectSettings = query(Schema.Struct({ max_per_group: nullable(Schema.Number), manual: Schema.Number }))

/** Whether the setting of a kind is recorded. */
const isRecorded = (connection: Connection, { isManual, kind, maxPerGroup }: GroupSettings) =>
  Effect.map(
    selectSettings(connection, "SELECT max_per_group, manual FROM charlotte_limits WHERE kind = ?", [kind]),
    ([row]) => (row?.max_per_group ?? undefined) === maxPerGroup && (row?.manual ?? 0) === Number(isManual)
  )

const register = (batch: Batch, { isManual, kind, maxPerGroup }: GroupSettings): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const connection = yield* batch.connection
    yield* batch.lockAdmission(kind)
    yield* execute(
      connection,
      `INSERT INTO charlotte_limits (kind, max_per_group, manual) VALUES (?, ?, ?)
       ON CONFLICT (kind) DO UPDATE SET max_per_group = excluded.max_per_group, manual = excluded.manual`,
      [kind, maxPerGroup ?? null, Number(isManual)]
    )
    for (const group of yield* groups.known(connection, kind)) batch.regroup(kind, group)
  })

export const make = ({
  lanes: { admit },
  session
}: {
  readonly session: Session
  readonly lanes: Pick<Lanes, "admit">
}): GroupStore => ({
  register: (settings) =>
    Effect.gen(function* () {
      const isUpToDate = yield* session.read("read groups", (connection) =>
        Effect.gen(function* () {
          return (
            (yield* isRecorded(connection, settings)) && (yield* groups.known(connection, settings.kind)).length === 0
          )
        })
      )
      if (isUpToDate) return
      yield* admit<void, never>({
        operation: "limit groups",
        lane: "fast",
        body: (batch) => register(batch, settings)
      })
    }),

  get: (kind, group) => session.read("read a group", (connection) => groups.get(connection, kind, group))
})
