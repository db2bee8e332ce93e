/**
 * Attaches a request to the job that holds a key, in a transaction that records its idempotency key.
 */
import { Effect, Option } from "effect"
import { attachTo } from "../rules/admitRun.js"
import type { Attaching } from "../port/RunStoreService.js"
import type { Batch } from "./Batch.js"
import * as idempotencyKeys from "./idempotencyKeys.js"
import { lookup } from "./lookup.js"

export const attach = (batch: Batch, attaching: Attaching) =>
  Effect.gen(function* () {
    const { kind } = attaching.to
    const connection = yield* batch.connection
    yield* batch.lockAdmission(kind)
    const existing = yield* attachTo(attaching, lookup(batch.connection))
    if (Option.isNone(existing)) return Option.none()
    const { id } = yield* idempotencyKeys.answer(connection, kind, existing.value)
    return Option.some(id)
  })
