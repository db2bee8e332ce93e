/**
 * Indexes runs some time after they were written, many at once: in the transaction of a single start the index would cost 50 µs of
 * CPU and six more pages of the WAL, in a large batch it costs 10 µs. Runs that are not indexed yet are searched row by row.
 */
import { type Cause, Effect, type Scope, Schema } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as background from "../../internal/background.js"
import { RealClock } from "../../internal/RealClock.js"
import { count } from "../port/StartProgress.js"
import type { SearchRedaction } from "../rules/SearchRedaction.js"
import * as searchIndex from "./searchIndex.js"
import type { Session } from "./Session.js"
import { query } from "./statements.js"
import type { Writer } from "./Writer.js"

export interface SearchIndexer {
  /** Must run after each write that adds to the searchable text of a run. */
  readonly written: Effect.Effect<void>
  /** Must run after removed runs are deleted. Their words then leave the files of the index, in the background. */
  readonly removed: Effect.Effect<void>
}

/** The indexer of a store that does not write. */
export const none: SearchIndexer = { written: Effect.void, removed: Effect.void }

/** At most this many runs are left unindexed and searched row by row, which takes a few milliseconds. */
const threshold = 256

/** Runs per transaction: the writes that share it wait for a millisecond or two. */
const slice = 64

/** More unindexed runs than this come from a migration, which leaves all; a manager that was killed leaves few. */
const many = 2_048

/** Runs per transaction when many are indexed, since each commit waits for the disk, and the pause after it for other writes. */
const largeSlice = 256
const rest = 10

const selectState = query(Schema.Struct({ runs: Schema.Number, pruned: Schema.Number }))

export interface Options {
  readonly session: Session
  readonly write: Writer["write"]
  readonly redact: SearchRedaction["Type"]
}

export const make = ({ redact, session, write }: Options): Effect.Effect<SearchIndexer, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const arrived = yield* Effect.makeLatch()

    const index = (limit: number) =>
      write<number, never>({
        operation: "index runs",
        lane: "slow",
        weight: limit,
        body: (batch) =>
          Effect.flatMap(batch.connection, (connection) => searchIndex.indexNext(connection, limit, redact))
      })
    const { sleep } = yield* RealClock

    const { pruned: everPruned, runs: found } = yield* session.read("index runs", (connection) =>
      Effect.map(
        selectState(
          connection,
          "SELECT count(*) AS runs, (SELECT count(*) FROM charlotte_prunings) AS pruned FROM charlotte_unindexed",
          []
        ),
        ([row]) => row ?? { runs: 0, pruned: 0 }
      )
    )
    let unindexed = found

    // This runs in the background: a million runs take a minute, during which only searches are slower.
    const indexMany = Effect.gen(function* () {
      unindexed = 0
      yield* Effect.logInfo(
        `indexing ${count(found)} runs for search, in the background; until then a search takes longer`
      )
      yield* Effect.repeat(Effect.zipLeft(index(largeSlice), sleep(rest)), { until: (indexed) => indexed < largeSlice })
      yield* Effect.logInfo(`indexed ${count(found)} runs for search`)
    })
    const drain = Effect.repeat(index(slice), { until: (indexed) => indexed < slice })
    const indexArrived = Effect.zipRight(Effect.zipRight(arrived.await, arrived.close), drain)
    const logFailure = Effect.catchAllCause((cause: Cause.Cause<StoreError>) =>
      Effect.logWarning("runs could not be indexed for search", cause)
    )

    // At the start it completes what a crash has interrupted.
    const unmerged = yield* Effect.makeLatch(everPruned > 0)
    const merge = write<boolean, never>({
      operation: "merge the search index",
      lane: "slow",
      weight: largeSlice,
      body: (batch) => Effect.flatMap(batch.connection, (connection) => connection.dialect.mergeSearch(connection))
    })
    const mergeAll = Effect.zipRight(
      Effect.zipRight(unmerged.await, unmerged.close),
      Effect.repeat(Effect.zipLeft(merge, sleep(rest)), { until: (isDone) => isDone })
    )
    yield* Effect.forever(logFailure(mergeAll)).pipe(
      Effect.annotateLogs({ module: "charlotte/RunStore" }),
      background.fork
    )

    yield* (found > many ? logFailure(indexMany) : Effect.void).pipe(
      Effect.zipRight(Effect.forever(logFailure(indexArrived))),
      Effect.annotateLogs({ module: "charlotte/RunStore" }),
      background.fork
    )

    return {
      written: Effect.suspend(() => {
        unindexed += 1
        if (unindexed < threshold) return Effect.void
        unindexed = 0
        return arrived.open
      }),
      removed: Effect.asVoid(unmerged.open)
    }
  })
