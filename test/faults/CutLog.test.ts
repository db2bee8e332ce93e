/**
 * A loss of power leaves some of what was written: here the log ends anywhere, is not there at all, or was being carried over
 * into the file. Whatever is left, what was acknowledged before that point is in the database, and the database is sound.
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

/** One line for all that is known of a job. */
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

/** What three jobs go through, one acknowledged change after another. */
const changes = Effect.map(RunStore.RunStore, ({ append, create, record, resume }) =>
  jobs.flatMap((jobId, n) => [
    create(newRun(n + 1, { labels: { team: "web" }, key: `key ${n}` })),
    append({ jobId, attempt: 1, events: [event("a", { text: "x".repeat(3_000) }), event("b")] }),
    ...(n === 0
      ? [
          record({ type: "job.interrupted", jobId, attempt: 1, at: at(5), crashed: true }),
          resume({ jobId, attempt: 2, key: "key 0", at: at(6) }),
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
  /** How long the log was then. */
  readonly bytes: number
  readonly states: ReadonlyArray<string>
}

const header = 32
const frame = 24 + 4_096

/** A database file and its log, as another process finds them while they are in use, and what was acknowledged by then. */
const written = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("jobs.db")
  const copies = yield* TemporaryDirectory.make
  const copy = (name: string) =>
    Effect.sync(() => {
      // Closing the files in this process would give up the locks on them.
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
    // From here on the log is as long as what is in it.
    yield* checkpoint("TRUNCATE")
    yield* note
    for (const change of yield* changes) yield* Effect.zipRight(change, note)
    const before = yield* copy("before")
    yield* checkpoint("PASSIVE")
    const { database: carriedOver } = yield* copy("after")
    return { ...before, carriedOver, acknowledged }
  }).pipe(Effect.provide(store(filename)))
})

/** What a store finds in such files. */
const found = (database: Uint8Array, log: Uint8Array | undefined) =>
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

describe("a log that a loss of power", () => {
  it.scoped(
    "has cut off at any frame, or within one, holds all that was acknowledged before, and nothing by halves",
    () =>
      Effect.gen(function* () {
        const { acknowledged, database, log } = yield* written
        const expected = (bytes: number) => acknowledged.findLast((then) => then.bytes <= bytes)?.states ?? nothing
        const frames = (log.length - header) / frame
        expect(Number.isInteger(frames)).toBe(true)
        expect(frames).toBeGreaterThan(50)
        for (let n = 0; n <= frames; n++) {
          const boundary = header + n * frame
          // Within a frame, at a different place of it each time.
          const within = boundary + ((n * 997) % frame)
          for (const bytes of n % 4 === 0 && within < log.length ? [boundary, within] : [boundary])
            expect(yield* found(database, log.subarray(0, bytes)), `cut at byte ${bytes}`).toEqual(expected(bytes))
        }
        expect(yield* found(database, log)).toEqual(acknowledged.at(-1)?.states)
      }),
    60_000
  )

  it.scoped("has left with a torn or a strange frame ends before that", () =>
    Effect.gen(function* () {
      const { acknowledged, database, log } = yield* written
      const [, , third, fourth] = acknowledged
      for (const damage of [
        // Half of a block was written, or a block of zeros.
        (bytes: Buffer, start: number) => bytes.fill(0, start + 24 + 2_048, start + frame),
        (bytes: Buffer, start: number) => bytes.fill(0, start, start + frame),
        (bytes: Buffer, start: number) => bytes.fill(0x55, start + 30, start + 40)
      ])
        expect(yield* found(database, damage(Buffer.from(log), third?.bytes ?? 0))).toEqual(third?.states)
      expect(third?.states).not.toEqual(fourth?.states)
    })
  )

  it.scoped("or somebody has removed leaves the database as it was when it was last carried over", () =>
    Effect.gen(function* () {
      const { acknowledged, carriedOver, database } = yield* written
      expect(yield* found(database, undefined)).toEqual(nothing)
      expect(yield* found(carriedOver, undefined)).toEqual(acknowledged.at(-1)?.states)
    })
  )
})

describe("a log that was being carried over into the file when power was lost", () => {
  it.scoped("is carried over again, whichever pages had got there, and halves of them", () =>
    Effect.gen(function* () {
      const { acknowledged, carriedOver, database, log } = yield* written
      const halfPages = carriedOver.length / 2_048
      for (let n = 1; n <= halfPages; n += 3) {
        const torn = Buffer.concat([carriedOver.subarray(0, n * 2_048), database.subarray(n * 2_048)])
        expect(yield* found(torn, log), `${n} halves`).toEqual(acknowledged.at(-1)?.states)
      }
    })
  )
})
