/**
 * What the application does with its jobs: it starts some that wait, others in transactions of its own, and sends them signals.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { type JobId, RunStatus, Runs } from "charlotte"
import { Data, Effect, Option, Random, type Schema } from "effect"
import * as victim from "../victim.js"
import { Said, say } from "./Said.js"
import { Effort, type Manners, times } from "./Effort.js"
import { Work } from "./Work.js"

/** More than so many do not wait. */
const mostPending = 40

/** More than so many are not under way. */
const mostEfforts = 6

const unfinished = ["pending", "running", "interrupted", "parked"] as const

class RolledBack extends Data.TaggedError("RolledBack")<{ readonly id: JobId.JobId }> {}

const chance = (probability: number) => Effect.map(Random.next, (next) => next < probability)

const among = <A>(all: ReadonlyArray<A>): Effect.Effect<Option.Option<A>> =>
  Effect.map(Random.nextIntBetween(0, Math.max(1, all.length)), (n) => Option.fromNullable(all[n]))

const pick = <const A>(first: A, ...rest: ReadonlyArray<A>) =>
  Effect.map(
    among([first, ...rest]),
    Option.getOrElse(() => first)
  )

/** Any answer that may be given is one; others are wrong. */
const heard =
  <Tag extends string>(...allowed: ReadonlyArray<Tag>) =>
  <A, E extends { readonly _tag: string; readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.asSome(effect).pipe(
      Effect.catchAll((error) => {
        if (![...allowed, "ShuttingDown"].some((tag) => tag === error._tag)) {
          say(Said.Wrong({ what: `it was answered ${error._tag}: ${error.message}` }))
        }
        return Effect.succeed(Option.none<A>())
      })
    )

const config = Effect.map(
  pick("brief", "brief", "endless", "failing", "signal", "signal", "time", "time"),
  (manner) => ({ manner })
)

const priority = Random.nextIntBetween(-1, 2)

const request = Effect.gen(function* () {
  const options = {
    whenFull: "queue" as const,
    priority: yield* priority,
    ...((yield* chance(0.2)) ? { delay: yield* Random.nextIntBetween(0, 500) } : {}),
    ...((yield* chance(0.3))
      ? { key: yield* pick("a", "b"), whenKeyTaken: yield* pick("queue", "attach", "attach", "replace", "refuse") }
      : {})
  }
  return { config: yield* config, options }
})

/** Half of them come again and again, and half are new, so that there is always one to record. */
const idempotencyKey = Effect.flatMap(pick(30, 1_000_000), (keys) =>
  Effect.map(Random.nextIntBetween(0, keys), (key) => `key ${key}`)
)

/** With its idempotency key, mostly the request that always goes with it. */
const start = Effect.gen(function* () {
  const { start } = yield* Work
  const key = (yield* chance(0.3)) ? yield* idempotencyKey : undefined
  const isUsual = key !== undefined && (yield* chance(0.9))
  const { config, options } = yield* isUsual ? Effect.withRandom(request, Random.make(key)) : request
  const starting = start(config, key === undefined ? options : { ...options, idempotencyKey: key })
  const started = yield* heard("JobConflict", "IdempotencyKeyReused")(starting)
  if (Option.isSome(started)) say(Said.Started({ id: started.value, idempotencyKey: key ?? null }))
})

/** An order, and its job: both are there, or neither. */
const order = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { start } = yield* Work
  const options = {
    priority: yield* priority,
    ...((yield* chance(0.2)) ? { key: "a", whenKeyTaken: "queue" as const } : {})
  }
  const both = Effect.gen(function* () {
    const [row] = yield* sql<{ readonly id: number }>`INSERT INTO orders (job) VALUES ('') RETURNING id`
    const placed = row?.id ?? 0
    const id = yield* start({ ...(yield* config), order: placed }, options)
    yield* sql`UPDATE orders SET job = ${id} WHERE id = ${placed}`
    return { id, order: placed }
  })
  const undone = sql.withTransaction(Effect.flatMap(both, ({ id }) => new RolledBack({ id }))).pipe(
    Effect.catchIf(
      (error) => error instanceof RolledBack,
      ({ id }) => Effect.sync(() => say(Said.RolledBack({ id })))
    )
  )
  if (yield* chance(0.3)) {
    yield* heard()(undone)
    return
  }
  const hasSavepoint = yield* chance(0.3)
  const committed = yield* Effect.gen(function* () {
    const placed = yield* both
    if (hasSavepoint) yield* undone
    victim.pass("before", ["transaction"])
    return placed
  }).pipe(sql.withTransaction, heard())
  victim.pass("after", ["transaction"])
  if (Option.isSome(committed)) say(Said.Committed(committed.value))
})

const manner = pick("dies", "fails", "hangs")

/** At times it fails once too often. */
const tryHard = Effect.gen(function* () {
  const { start } = yield* Effort
  const manners: Array<Schema.Schema.Type<typeof Manners>[number]> = []
  for (let left = yield* Random.nextIntBetween(0, times + 2); left > 0; left--) manners.push(yield* manner)
  const started = yield* heard()(start({ manners }, { whenFull: "queue" }))
  if (Option.isSome(started)) say(Said.Started({ id: started.value, idempotencyKey: null }))
})

const found = (kind: string, ...statuses: ReadonlyArray<RunStatus.RunStatus>) =>
  Effect.gen(function* () {
    const { list } = yield* Runs.Runs
    const pages = yield* Effect.forEach(statuses, (status) => list({ kind, status, limit: 100 }))
    return pages.flat().map(({ id }) => id)
  })

const signal = (id: JobId.JobId, name: "go" | "stay") =>
  Effect.gen(function* () {
    const payload = yield* Random.nextIntBetween(0, 1_000_000_000)
    const sent = yield* Effect.flatMap(Work, (work) => work.signal(id, name, payload)).pipe(heard("JobEnded"))
    if (Option.isSome(sent)) say(Said.Signalled({ id, payload }))
  })

const resume = (id: JobId.JobId) => Effect.flatMap(Work, (work) => work.resume(id)).pipe(heard("NotResumable"))

const stop = (id: JobId.JobId) =>
  Effect.gen(function* () {
    const report = yield* Effect.flatMap(Work, (work) => work.stop(id)).pipe(heard())
    if (Option.isNone(report)) return
    const { status } = report.value
    say(
      RunStatus.isTerminal(status)
        ? Said.Ended({ id, status })
        : Said.Wrong({ what: `${id} is ${status}, and was stopped` })
    )
  })

const step = Effect.gen(function* () {
  const pending = yield* found(Work.kind, "pending")
  const parked = yield* found(Work.kind, "parked")
  const parkedOne = yield* among(parked)
  const anyOne = yield* among([...pending, ...parked, ...(yield* found(Work.kind, "running"))])
  const next = yield* Random.next
  if ((yield* found(Effort.kind, ...unfinished)).length < mostEfforts && (yield* chance(0.2))) yield* tryHard
  if (next < 0.35) yield* pending.length < mostPending ? start : Effect.void
  else if (next < 0.6) yield* pending.length < mostPending ? order : Effect.void
  else if (next < 0.8 && Option.isSome(anyOne)) yield* signal(anyOne.value, yield* pick("go", "stay"))
  else if (next < 0.88 && Option.isSome(parkedOne)) yield* resume(parkedOne.value)
  else if (Option.isSome(anyOne)) yield* stop(anyOne.value)
  yield* Effect.sleep(yield* Random.nextIntBetween(0, 10))
})

/** For as long as the application lives. */
export const use = Effect.forever(step)

/** Lets all jobs come to their end. */
export const finish = Effect.gen(function* () {
  for (;;) {
    yield* Effect.forEach(yield* found(Work.kind, "parked"), (id) => signal(id, "go"), { discard: true })
    const left = yield* Effect.forEach([Work.kind, Effort.kind], (kind) => found(kind, ...unfinished))
    if (left.flat().length === 0) return
    yield* Effect.sleep(20)
  }
})
