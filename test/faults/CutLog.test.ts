/**
 * What a power loss may leave: a WAL that is truncated anywhere or missing, or an unfinished checkpoint. In every case the
 * database holds what was acknowledged before that point, and passes the audit.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, type JobId, RunStore } from "charlotte"
import { Effect, Layer, Option } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { at, event, id, kind, newRun } from "../store/runs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { isSound } from "./sound.js"

const store = (filename: string) => RunStore.layer.pipe(Layer.provideMerge(Database.layer({ filename })))

const jobs = [1, 2, 3].map(id)

/** The status and events of a job, on one line. */
const stateOf = (jobId: JobId.JobId) =>
  Effect.gen(function* () {
    const { events, get } = yield* RunStore.RunStore
    const run = yield* get(jobId)
    const page = yield* events({ kind, jobId, after: 0, limit: 100 })
    return Option.match(run, {
      onNone: () => "unknown",
      onSome: ({ attempt, status }) => {
        const types = Option.match(page, {
          onNone: () => [],
          onSome: ({ events }) => events.map(({ seq, type }) => `${seq} ${type}`)
        })
        return `${status}, attempt ${attempt}: ${types.join(", ")}`
      }
    })
  })

const states = Effect.forEach(jobs, stateOf)

/** The changes of three jobs, each acknowledged before the next. */
const changes = Effect.map(RunStore.RunStore, ({ append, begin, create, record }) =>
  jobs.flatMap((jobId, n): ReadonlyArray<Effect.Effect<void, Error>> => [
    Effect.asVoid(create(newRun(n + 1, { labels: { team: "web" }, key: `key ${n}` }))),
    append({ jobId, attempt: 1, events: [event("a", { text: "x".repeat(3_000) }), event("b")] }),
    ...(n === 0
      ? [
          record({ type: "job.interrupted", jobId, attempt: 1, at: at(5), crashed: true }),
          Effect.asVoid(begin({ jobId, attempt: 2, key: "key 0", at: at(6) })),
          append({ jobId, attempt: 2, events: [event("c")] }),
          record({ type: "job.completed", jobId, attempt: 2, at: at(7), result: "y".repeat(6_000) })
        ]
      : [
          record({ type: "job.stopping", jobId, attempt: 1, at: at(5) }),
          record({ type: "job.cancelled", jobId, attempt: 1, at: at(6) })
        ])
  ])
)

interface Acknowledged {
  /** The length of the WAL at that time. */
  readonly bytes: number
  readonly states: ReadonlyArray<string>
}

const header = 32
const frame = 24 + 4_096

/** A database file and its WAL, copied while they are in use, and what was acknowledged by then. */
const written = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("jobs.db")
  const copies = yield* TemporaryDirectory.make
  const copy = (name: string) =>
    Effect.sync(() => {
      // Closing the files in this process would release the locks on them.
      execFileSync("cp", ["-r", dirname(filename), `${copies}/${name}`])
      return {
        database: readFileSync(`${copies}/${name}/jobs.db`),
        log: readFileSync(`${copies}/${name}/jobs.db-wal`)
      }
    })
  return yield* Effect.gen(function* () {
    const acknowledged: Array<Acknowledged> = []
    const note = Effect.map(states, (states) => acknowledged.push({ bytes: statSync(`${filename}-wal`).size, states }))
    const checkpoint = (mode: string) =>
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`PRAGMA wal_checkpoint(${mode})`))
    // From here on the file length is the length of the WAL content.
    yield* checkpoint("TRUNCATE")
    yield* note
    for (const change of yield* changes) yield* Effect.zipRight(change, note)
    const before = yield* copy("before")
    yield* checkpoint("PASSIVE")
    const { database: checkpointed } = yield* copy("after")
    return { ...before, checkpointed, acknowledged }
  }).pipe(Effect.provide(store(filename)))
})

/** The states that a store recovers from these files. */
const recovered = (database: Uint8Array, log: Uint8Array | undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      const directory = `${yield* TemporaryDirectory.make}/left`
      mkdirSync(directory)
      writeFileSync(`${directory}/jobs.db`, database)
      if (log !== undefined) writeFileSync(`${directory}/jobs.db-wal`, log)
      return yield* Effect.zipLeft(states, isSound({ maxJobs: jobs.length })).pipe(
        Effect.provide(store(`${directory}/jobs.db`))
      )
    })
  )

const nothing = jobs.map(() => "unknown")

describe("recovery of a WAL after a power loss", () => {
  it.scoped(
    "restores exactly what was acknowledged before the truncation, at or within any frame",
    () =>
      Effect.gen(function* () {
        const { acknowledged, database, log } = yield* written
        const expected = (bytes: number) => acknowledged.findLast((then) => then.bytes <= bytes)?.states ?? nothing
        const frames = (log.length - header) / frame
        expect(Number.isInteger(frames)).toBe(true)
        expect(frames).toBeGreaterThan(50)
        for (let n = 0; n <= frames; n++) {
          const boundary = header + n * frame
          // Within a frame, at a different offset each time.
          const within = boundary + ((n * 997) % frame)
          for (const bytes of n % 4 === 0 && within < log.length ? [boundary, within] : [boundary])
            expect(yield* recovered(database, log.subarray(0, bytes)), `cut at byte ${bytes}`).toEqual(expected(bytes))
        }
        expect(yield* recovered(database, log)).toEqual(acknowledged.at(-1)?.states)
      }),
    300_000
  )

  it.scoped("ignores a torn or corrupt frame and all later ones", () =>
    Effect.gen(function* () {
      const { acknowledged, database, log } = yield* written
      const [, , third, fourth] = acknowledged
      for (const damage of [
        // Half a page of zeros, a frame of zeros, and garbage.
        (bytes: Buffer, start: number) => bytes.fill(0, start + 24 + 2_048, start + frame),
        (bytes: Buffer, start: number) => bytes.fill(0, start, start + frame),
        (bytes: Buffer, start: number) => bytes.fill(0x55, start + 30, start + 40)
      ])
        expect(yield* recovered(database, damage(Buffer.from(log), third?.bytes ?? 0))).toEqual(third?.states)
      expect(third?.states).not.toEqual(fourth?.states)
    })
  )

  it.scoped("restores the last checkpoint when the WAL is missing", () =>
    Effect.gen(function* () {
      const { acknowledged, checkpointed, database } = yield* written
      expect(yield* recovered(database, undefined)).toEqual(nothing)
      expect(yield* recovered(checkpointed, undefined)).toEqual(acknowledged.at(-1)?.states)
    })
  )
})

describe("recovery of a checkpoint interrupted by a power loss", () => {
  it.scoped("repeats the checkpoint after any number of written half pages", () =>
    Effect.gen(function* () {
      const { acknowledged, checkpointed, database, log } = yield* written
      const halfPages = checkpointed.length / 2_048
      for (let n = 1; n <= halfPages; n += 3) {
        const torn = Buffer.concat([checkpointed.subarray(0, n * 2_048), database.subarray(n * 2_048)])
        expect(yield* recovered(torn, log), `${n} halves`).toEqual(acknowledged.at(-1)?.states)
      }
    })
  )
})
