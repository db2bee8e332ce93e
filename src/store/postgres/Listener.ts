/**
 * Wakes subscribers when other connections commit: `NOTIFY` arrives with the commit, over a separate connection, and a poll of one
 * row a second finds what was missed, since a connection may be lost silently.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Schema, type Scope } from "effect"
import { JobId } from "../../domain/JobId.js"
import * as background from "../../internal/background.js"
import * as race from "../../internal/race.js"
import { RealClock } from "../../internal/RealClock.js"
import { type ChangeNotifier, makeNotifier } from "../port/ChangeNotifier.js"
import { query, queryOne } from "../sql/statements.js"
import * as notices from "./notices.js"
import * as OwnConnection from "./OwnConnection.js"
import type { PostgresSession } from "./PostgresSession.js"

/** Milliseconds between two polls, and before another connection attempt. */
const pollInterval = 1_000
const reconnectPause = 1_000

/** Above this many new events, all subscribers are woken to look for theirs. */
const maxRead = 1_000

const selectNews = queryOne(Schema.Struct({ latest: Schema.Number, prunings: Schema.Number }))
const selectJobs = query(Schema.Struct({ job_id: JobId }))

export const make = (
  sql: SqlClient,
  session: PostgresSession,
  notifier: ChangeNotifier
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { sleep } = yield* RealClock
    const noticed = makeNotifier()
    let seen: number | undefined
    let seenPrunings: number | undefined

    /** This store's writer has already woken the subscribers of its events. */
    const wakeSubscribers = session.read("read new events", (connection) =>
      Effect.gen(function* () {
        const { latest, prunings } = yield* selectNews(
          connection,
          `SELECT (${connection.dialect.latestCursor}) AS latest, (SELECT coalesce(max(prunings), 0) FROM charlotte_prunings) AS prunings`,
          []
        )
        if (seenPrunings !== undefined && prunings !== seenPrunings) yield* notifier.pruned
        seenPrunings = prunings
        if (seen === undefined) return void (seen = latest)
        const { foreign, upTo } = session.own.foreign(seen, latest)
        for (const [after, last] of foreign) {
          if (last - after > maxRead) yield* notifier.wakeAll
          else {
            const jobs = yield* selectJobs(
              connection,
              "SELECT DISTINCT job_id FROM charlotte_events WHERE cursor > ? AND cursor <= ?",
              [after, last]
            )
            if (jobs.length > 0) yield* notifier.wake(jobs.map(({ job_id }) => job_id))
          }
        }
        seen = upTo
      })
    )

    const poll = Effect.gen(function* () {
      const version = yield* noticed.version
      yield* Effect.ignore(wakeSubscribers)
      yield* race.first([noticed.changed(version), sleep(pollInterval)])
    })

    const onNotice = (payload: string) => {
      const notice = notices.parse(payload)
      if (notice?._tag === "Events" && notice.origin !== session.origin) noticed.unsafeWake()
      if (notice?._tag === "Outbox") notifier.committed(notice.kind).unsafeWake()
    }

    const listen = Effect.gen(function* () {
      const connection = yield* OwnConnection.make(sql, "listener")
      yield* connection.listen(notices.channel, onNotice)
      // This poll finds commits from before the listener was ready.
      noticed.unsafeWake()
      yield* connection.gone
    }).pipe(Effect.scoped, Effect.ignore, Effect.zipRight(sleep(reconnectPause)))

    yield* Effect.ignore(wakeSubscribers)
    for (const loop of [poll, listen]) {
      yield* Effect.forever(loop).pipe(Effect.annotateLogs({ module: "charlotte/RunStore" }), background.fork)
    }
  })
