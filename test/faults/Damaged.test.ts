/**
 * Damaged database files are refused promptly and left unchanged, or used as far as possible.
 */
import { describe, expect, it } from "@effect/vitest"
import { Database, errors, RunStore } from "charlotte"
import { Cause, Effect, Exit, FastCheck, Layer, Option } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { performance } from "node:perf_hooks"
import * as Charlotte from "../cli/process/Charlotte.js"
import { at, event, id, kind, newRun } from "../store/runs.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"

const store = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

/** The bytes of a database with several jobs. */
const intact = Effect.gen(function* () {
  const filename = yield* TemporaryDirectory.file("jobs.db")
  yield* Effect.gen(function* () {
    const { append, create, record } = yield* RunStore.RunStore
    for (let n = 1; n <= 30; n++) {
      yield* create(newRun(n, { labels: { team: `team ${n % 3}` }, config: { text: "x".repeat(400) } }))
      yield* append({ jobId: id(n), attempt: 1, events: [event("a", { n }), event("b")] })
      if (n % 2 === 0) yield* record({ type: "job.completed", jobId: id(n), attempt: 1, at: at(n), result: n })
    }
  }).pipe(Effect.provide(store(filename)))
  return readFileSync(filename)
})

const { constantFrom, integer, nat, oneof, record } = FastCheck

const damage = oneof(
  {
    weight: 4,
    arbitrary: record({
      what: constantFrom("overwrite" as const),
      where: nat(),
      size: integer({ min: 1, max: 9_000 }),
      byte: nat(255)
    })
  },
  { weight: 2, arbitrary: record({ what: constantFrom("cut" as const), where: nat() }) },
  { weight: 2, arbitrary: record({ what: constantFrom("swap" as const), where: nat(), other: nat() }) },
  { weight: 1, arbitrary: record({ what: constantFrom("lengthen" as const), size: integer({ min: 1, max: 9_000 }) }) }
)
type Damage = typeof damage extends FastCheck.Arbitrary<infer A> ? A : never

const page = 4_096

const damaged = (bytes: Buffer, damage: Damage): Buffer => {
  const copy = Buffer.from(bytes)
  switch (damage.what) {
    case "overwrite": {
      const where = damage.where % copy.length
      return copy.fill(damage.byte, where, Math.min(where + damage.size, copy.length))
    }
    case "cut":
      return copy.subarray(0, damage.where % copy.length)
    case "swap": {
      const [a, b] = [damage.where, damage.other].map((n) => (n % (copy.length / page)) * page)
      bytes.copy(copy, a, b, (b ?? 0) + page)
      bytes.copy(copy, b, a, (a ?? 0) + page)
      return copy
    }
    case "lengthen":
      return Buffer.concat([copy, Buffer.alloc(damage.size, 0x55)])
  }
}

/** All kinds of reads, and a write. */
const used = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const uses: ReadonlyArray<Effect.Effect<unknown, Error>> = [
    store.list({ limit: 100 }),
    store.list({ labels: { team: "team 1" } }),
    store.unfinished({ kind, limit: 100 }),
    store.allEvents({ kind, after: 0, limit: 100 }),
    store.create(newRun(40)),
    store.append({ jobId: id(1), attempt: 1, events: [event("c")] })
  ]
  yield* Effect.forEach(uses, Effect.ignore)
})

describe("a damaged database", () => {
  it.scopedLive("is refused within two seconds and left unchanged, or is used without a defect", () =>
    Effect.gen(function* () {
      const bytes = yield* intact
      let refused = 0
      const opened = (damage: Damage) =>
        Effect.gen(function* () {
          const directory = yield* TemporaryDirectory.make
          const found = damaged(bytes, damage)
          writeFileSync(`${directory}/jobs.db`, found)
          const begun = performance.now()
          const exit = yield* Effect.exit(Effect.provide(used, store(`${directory}/jobs.db`)))
          if (Exit.isSuccess(exit)) return
          const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
          expect(error, Cause.pretty(exit.cause)).toBeInstanceOf(errors.StoreError)
          expect(performance.now() - begun).toBeLessThan(2_000)
          if (error?.operation !== "open the database") return
          refused += 1
          expect(error.reason).toBe("corrupt")
          expect(error.message).toContain("restore it from a backup, or move it away to start afresh")
          expect(readFileSync(`${directory}/jobs.db`).equals(found)).toBe(true)
          expect(readdirSync(directory)).toEqual(["jobs.db"])
        }).pipe(Effect.scoped)
      yield* Effect.forEach(FastCheck.sample(damage, { numRuns: 200, seed: 1 }), opened)
      expect(refused).toBeGreaterThan(40)
    })
  )

  it.scopedLive(
    "prevents the daemon from starting, with an error that says what to do, and without changing the home",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => ({}))
        mkdirSync(world.home, { mode: 0o700 })
        const bytes = (yield* intact).fill(0x55, 3 * page, 4 * page)
        const database = `${world.home}/charlotte.db`
        writeFileSync(database, bytes, { mode: 0o600 })
        const begun = performance.now()
        const { code, err } = yield* Charlotte.run(world, "exec charlotte daemon start")
        expect(performance.now() - begun).toBeLessThan(5_000)
        expect(code).toBe(1)
        expect(err).toContain(`${database} is damaged`)
        expect(err).toContain("restore it from a backup, or move it away to start afresh")
        expect(readFileSync(database).equals(bytes)).toBe(true)
        expect(readdirSync(world.home).filter((name) => name.startsWith("charlotte.db"))).toEqual(["charlotte.db"])
      })
  )
})
