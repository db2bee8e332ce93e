/** The migration of a large database of 0.1.0: what it costs, and what users see of it. */
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import Sqlite from "better-sqlite3"
import { Effect, Layer, Logger } from "effect"
import { mkdirSync } from "node:fs"
import * as Charlotte from "../cli/process/Charlotte.js"
import * as Daemon from "../cli/process/Daemon.js"
import { fill, type History, statements } from "../compatibility/fill.js"
import * as Home from "../compatibility/home.js"
import { isLong } from "../support/long.js"

const database = (history: History) =>
  Effect.gen(function* () {
    const filename = yield* Home.database()
    yield* Effect.acquireUseRelease(
      Effect.sync(() => new Sqlite(filename)),
      (database) =>
        Effect.forEach(
          statements(database, history),
          // The runner expects an answer each minute.
          (statement) =>
            Effect.zipRight(
              Effect.sync(() => database.exec(statement)),
              Effect.sleep("1 millis")
            ),
          { discard: true }
        ),
      (database) => Effect.sync(() => database.close())
    )
    return filename
  })

/** Opens a store on the file. Answers what was logged, and how many seconds of the processor and of the clock it took. */
const migrate = (filename: string) =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const logger = Logger.make<unknown, void>(({ message }) => void logged.push(String(message)))
    const [begun, before] = [performance.now(), process.cpuUsage()]
    yield* Layer.build(RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    const { system, user } = process.cpuUsage(before)
    return { logged, processor: (system + user) / 1e6, clock: (performance.now() - begun) / 1_000 }
  }).pipe(Effect.scoped)

/** What it says, with a line for each 100,000 rows; the fixture has four of its own. */
const lines = (runs: number) => {
  const rows = Array.from({ length: Math.ceil(runs / 100_000) }, (_, i) => Math.min((i + 1) * 100_000, runs))
  const count = (n: number) => n.toLocaleString("en-US")
  return [
    expect.stringMatching(`^migrating the database, which has ${count(runs)} runs, .* can take a minute`),
    ...rows.map((n) => `copied ${count(n)} of ${count(runs)} runs`),
    "building indexes, and writing the changes to disk",
    expect.stringMatching(/^migrated the database in \d+ s$/)
  ]
}

describe("the migration of a large database of 0.1.0", () => {
  it.scopedLive(
    "is shown by the command that causes it, line by line",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => ({}))
        const fresh = (name: string) => {
          const home = `${world.root}/${name}`
          mkdirSync(home, { mode: 0o700 })
          Home.create(`${home}/charlotte.db`, (database) => fill(database, { runs: 100_000, events: 2 }))
          return { ...world, home, variables: { ...world.variables, CHARLOTTE_HOME: home } }
        }
        const shown = (err: string) => err.split("\n").map((line) => line.replace(/^charlotte: /, ""))
        const expected = [...lines(100_004), ""]

        const daemon = fresh("of-daemon")
        const started = yield* Charlotte.run(daemon, "exec charlotte daemon start")
        expect([started.code, shown(started.err)]).toEqual([0, expected])
        expect(Daemon.log(daemon).map(({ message }) => message)).toEqual(expect.arrayContaining(lines(100_004)))
        yield* Daemon.down(daemon)

        const listed = yield* Charlotte.run(fresh("of-jobs"), "exec charlotte jobs --all --limit 1 --json")
        expect([listed.code, shown(listed.err)]).toEqual([0, expected])
        expect(listed.out).toContain('"jobs"')
      }),
    300_000
  )

  it.scopedLive(
    "is logged by the layer, and costs four times as much for four times as many runs",
    () =>
      Effect.gen(function* () {
        const [few, many] = [
          yield* database({ runs: 30_000, events: 3 }),
          yield* database({ runs: 120_000, events: 3 })
        ]
        const first = yield* migrate(few)
        expect(first.logged.filter((line) => line.includes("migrat"))).toEqual([])
        const second = yield* migrate(many)
        // The index for search may follow.
        expect(second.logged.slice(0, 5)).toEqual(lines(120_004))
        // 16 times, if it read all runs for each.
        expect(second.processor / first.processor).toBeLessThan(8)
      }),
    300_000
  )

  it.scopedLive.runIf(isLong)(
    "takes less than 60 s of the processor for a million runs with ten million events",
    () =>
      Effect.gen(function* () {
        const filename = yield* database({ runs: 1_000_000, events: 10 })
        const { clock, logged, processor } = yield* migrate(filename)
        process.stdout.write(`${clock.toFixed(0)} s, ${processor.toFixed(0)} s of the processor\n`)
        expect(logged.slice(0, 14)).toEqual(lines(1_000_004))
        expect(processor).toBeLessThan(60)
      }),
    900_000
  )
})
