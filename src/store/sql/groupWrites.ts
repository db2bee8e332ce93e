/**
 * The settings of the groups of kinds, over a session and a writer.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Array, Effect, Schema } from "effect"
import type { GroupSettings, GroupStore } from "../port/RunStoreService.js"
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

/** How many groups are settled at once: meanwhile no run of the kind begins. */
const sliceSize = 500

const recordSetting = (batch: Batch, { isManual, kind, maxPerGroup }: GroupSettings): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    yield* batch.lockAdmission(kind)
    yield* execute(
      yield* batch.connection,
      `INSERT INTO charlotte_limits (kind, max_per_group, manual) VALUES (?, ?, ?)
       ON CONFLICT (kind) DO UPDATE SET max_per_group = excluded.max_per_group, manual = excluded.manual`,
      [kind, maxPerGroup ?? null, Number(isManual)]
    )
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
      const { kind } = settings
      const write = (operation: string, body: (batch: Batch) => Effect.Effect<void, SqlError>) =>
        admit<void, never>({ operation, lane: "fast", body })
      if (!(yield* session.read("read groups", (connection) => isRecorded(connection, settings))))
        yield* write("limit groups", (batch) => recordSetting(batch, settings))
      // Read after the setting is recorded: what other transactions settle from then on follows it.
      const unsettled = yield* session.read("read groups", (connection) => groups.unsettled(connection, kind))
      for (const slice of Array.chunksOf(unsettled, sliceSize))
        yield* write("settle groups", (batch) =>
          Effect.map(batch.lockAdmission(kind), () => {
            for (const group of slice) batch.regroup(kind, group)
          })
        )
    }),

  get: (kind, group) => session.read("read a group", (connection) => groups.get(connection, kind, group))
})
