/**
 * Indexes runs some time after they were written, many at once: in the transaction of a start that is alone in it, the index would
 * cost 50 µs of CPU and six more pages of the WAL; so it costs 10 µs. What is not indexed yet is searched row by row.
 */
import { Effect, type Scope, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as searchIndex from "./searchIndex.js"
import type { Session } from "./Session.js"
import { query } from "./statements.js"
import type { Writer } from "./Writer.js"

export interface SearchIndexer {
  /** To be called after each write that adds to what is searched of a run. */
  readonly written: Effect.Effect<void>
}

/** Of a store that does not write. */
export const none: SearchIndexer = { written: Effect.void }

/** So many runs are left to be searched row by row, which takes a few milliseconds. */
const threshold = 256

/** Runs per transaction: the writes that share it wait for a millisecond or two. */
const slice = 64

/** After a migration nothing waits. */
const largeSlice = 2_048

const selectCount = query(Schema.Struct({ runs: Schema.Number }))

export const make = (session: Session, write: Writer["write"]): Effect.Effect<SearchIndexer, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const arrived = yield* Effect.makeLatch()

    const index = (limit: number) =>
      write<number, never>({
        operation: "index runs",
        lane: "slow",
        weight: limit,
        body: (batch) => Effect.flatMap(batch.connection, (connection) => searchIndex.indexNext(connection, limit))
      })

    const count = session.read("index runs", (connection) =>
      Effect.map(
        selectCount(connection, "SELECT count(*) AS runs FROM charlotte_unindexed", []),
        ([row]) => row?.runs ?? 0
      )
    )

    // A migration leaves all runs to be indexed; those of a manager that was killed are few.
    const found = yield* count
    if (found > largeSlice) {
      yield* Effect.logInfo(`indexing ${found} runs for search; this can take a minute`)
      for (let done = 0, last = largeSlice; last === largeSlice;) {
        last = yield* index(largeSlice)
        done += last
        if (Math.floor(done / 100_000) > Math.floor((done - last) / 100_000)) {
          yield* Effect.logInfo(`indexed ${done} of ${found} runs`)
        }
      }
    }

    let unindexed = found > largeSlice ? 0 : found
    const drain = Effect.repeat(index(slice), { until: (indexed) => indexed < slice })
    yield* Effect.zipRight(arrived.await, arrived.close).pipe(
      Effect.zipRight(drain),
      Effect.catchAllCause((cause) => Effect.logWarning("runs could not be indexed for search", cause)),
      Effect.forever,
      Effect.annotateLogs({ module: "charlotte/RunStore" }),
      Effect.interruptible,
      Effect.forkScoped
    )

    return {
      written: Effect.suspend(() => {
        unindexed += 1
        if (unindexed < threshold) return Effect.void
        unindexed = 0
        return arrived.open
      })
    }
  })
