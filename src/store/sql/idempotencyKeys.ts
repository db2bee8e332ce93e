/**
 * Statements on idempotency keys: a run has the key of its start, and the keys of the requests that have attached to it.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { Existing } from "../rules/admitRun.js"
import type { Submitted } from "../port/RunStoreService.js"
import type { Connection } from "./Dialect.js"
import { query, upsert } from "./statements.js"

const selectSubmitted = query(Schema.Struct({ id: JobId, request: Schema.String }))

/** Finds the run of a key; the keys of a run that is being pruned are free. */
export const find = (
  connection: Connection,
  kind: string,
  key: string
): Effect.Effect<Option.Option<Submitted>, SqlError> =>
  Effect.map(
    selectSubmitted(
      connection,
      `SELECT id, request FROM charlotte_runs WHERE kind = ? AND idempotency_key = ? AND pruned = 0
       UNION ALL
       SELECT a.job_id, a.request FROM charlotte_attached_keys a JOIN charlotte_runs r ON r.id = a.job_id
       WHERE a.kind = ? AND a.idempotency_key = ? AND r.pruned = 0`,
      [kind, key, kind, key]
    ),
    ([row]) => Option.fromNullable(row)
  )

/** Records the idempotency key of a decision. An existing key belongs to a run that is being pruned. */
export const answer = (connection: Connection, kind: string, { attached, id }: Existing) =>
  Effect.as(
    attached === undefined
      ? Effect.void
      : upsert(connection, "charlotte_attached_keys", {
          kind,
          idempotency_key: attached.key,
          request: attached.request,
          job_id: id
        }),
    { _tag: "Existing" as const, id }
  )
