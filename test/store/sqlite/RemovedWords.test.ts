/** The words of removed jobs in the files of the search index, which SQLite leaves there when a document is deleted. */
import { describe, expect, it } from "@effect/vitest"
import * as SqlClient from "@effect/sql/SqlClient"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { poll } from "../../../src/internal/RealClock.js"
import { at, error, id, kind, newRun } from "../runs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const { RunStore: Store } = RunStore

const failed = (n: number, word: string) =>
  Effect.gen(function* () {
    const { create, record } = yield* Store
    yield* create(newRun(n, { labels: { about: word } }))
    yield* record({ type: "job.failed", jobId: id(n), attempt: 1, at: at(n), error })
  })

/** In how many blocks of the index these letters occur. Words there leave out the letters that they share with the word before. */
const blocksWith = (letters: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql<{
        readonly blocks: number
      }>`SELECT count(*) AS blocks FROM charlotte_search_data WHERE instr(block, ${letters}) > 0`,
      ([row]) => row?.blocks
    )
  )

const eventually = (letters: string, is: (blocks: number | undefined) => boolean) =>
  poll(blocksWith(letters), { until: is, pause: 10, atMost: "20 seconds" })

/** Enough runs that they are indexed at once, one of them with the word. */
const withWord = (word: string) =>
  Effect.gen(function* () {
    for (let n = 1; n <= 300; n += 1) yield* failed(n, n === 100 ? word : `common${n}`)
    expect(yield* eventually("ephyr", (blocks = 0) => blocks > 0)).toBeGreaterThan(0)
  })

const hidden = Effect.flatMap(Store, ({ remove }) =>
  remove({ kind, jobId: id(100), isPinnedToo: false, at: at(1_000) })
)

const layer = (filename: string) => Layer.provideMerge(RunStore.layer, Database.layer({ filename }))

describe("a word of a removed job", () => {
  it.scopedLive("leaves the files of the index once the job is deleted, and the words of other jobs stay", () =>
    Effect.gen(function* () {
      const { deleteHidden, list } = yield* Store
      yield* withWord("zephyr")
      yield* deleteHidden({ forget: () => Effect.void }, yield* hidden)
      expect(yield* eventually("ephyr", (blocks) => blocks === 0)).toBe(0)
      expect((yield* list({ q: "common99" })).map(({ id }) => id)).toEqual([id(99)])
      expect(yield* list({ q: "zephyr" })).toEqual([])
    }).pipe(Effect.provide(layer(":memory:")))
  )

  it.scopedLive("leaves them after the next start if the process has died before", () =>
    Effect.gen(function* () {
      const filename = `${yield* TemporaryDirectory.make}/jobs.sqlite`
      yield* withWord("zephyr").pipe(Effect.provide(layer(filename)))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`DELETE FROM charlotte_runs WHERE id = ${id(100)}`
        yield* sql`INSERT INTO charlotte_prunings VALUES (1, 1, 1)`
        expect(yield* blocksWith("ephyr")).toBeGreaterThan(0)
      }).pipe(Effect.provide(Database.layer({ filename })))
      yield* Effect.gen(function* () {
        expect(yield* eventually("ephyr", (blocks) => blocks === 0)).toBe(0)
      }).pipe(Effect.provide(layer(filename)))
    })
  )
})
