/**
 * What a job costs, and a manager without jobs, in counts that depend neither on the machine nor on its load. Each has a limit, and all are
 * printed. They hold for the pinned version of Effect; a new version may move them in the commit that pins it.
 */
import { afterAll, describe, expect, it, vi } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Duration, Effect, Layer, RuntimeFlags, RuntimeFlagsPatch, Supervisor } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { RealClock } from "../../src/internal/RealClock.js"
import { bundle } from "../support/bundle.js"
import { clockOf } from "../support/clockOf.js"
import * as FailingSql from "../support/FailingSql.js"
import * as hurriedClock from "../support/hurriedClock.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { closedLoop, Plain, toItsEnd, untilStopped, withoutTime } from "./closedLoop.js"

/** The version of Effect for which the limits hold. */
const pinned = "3.22.4"

const table: Array<string> = []

afterAll(() => void process.stdout.write(`counts, on effect ${pinned}\n${table.join("\n")}\n`))

/** Adds a row to the table. */
const holds = (what: string, count: number, limit: number): void => {
  table.push(`${count.toFixed(3).padStart(8)} ≤ ${String(limit).padEnd(4)} ${what}`)
  expect.soft(count, `${what}, on effect ${pinned}`).toBeLessThanOrEqual(limit)
}

it("names the version of Effect for which its limits hold", () => {
  expect(createRequire(import.meta.url)("effect/package.json")).toMatchObject({ version: pinned })
})

/** Counts the operations of all fibers that its own fiber starts. */
class Operations extends Supervisor.AbstractSupervisor<void> {
  readonly value = Effect.void
  count = 0
  fibers = 0
  override onStart() {
    this.fibers += 1
  }
  override onEffect() {
    this.count += 1
  }
}

interface Scene {
  readonly store: Layer.Layer<RunStore.RunStore, unknown>
  readonly callers: number
  readonly lives?: number
  readonly life?: Effect.Effect<void, unknown, Plain>
  readonly run?: Effect.Effect<void>
}

const inSqlite = (filename: string) => RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))

/** The averages of many lives, since the store does something from time to time. */
const costs = ({ callers, life = toItsEnd, lives = 100, run = Effect.void, store }: Scene) => {
  const operations = new Operations()
  return Effect.gen(function* () {
    yield* closedLoop(callers, 100, life)
    const fiber = yield* Effect.withFiberRuntime<object>(Effect.succeed)
    const setting = vi.spyOn<{ setFiberRef: () => void }, "setFiberRef">(Object.getPrototypeOf(fiber), "setFiberRef")
    operations.count = operations.fibers = 0
    yield* closedLoop(callers, lives, life)
    const average = {
      operations: operations.count / lives,
      fibers: operations.fibers / lives,
      fiberRefs: setting.mock.calls.length / lives
    }
    setting.mockRestore()
    return average
  }).pipe(
    Effect.provide(Layer.provide(Plain.layer({ maxJobs: callers, run: () => run }), store)),
    withoutTime,
    Effect.supervised(operations),
    Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.enable(RuntimeFlags.OpSupervision))
  )
}

/** A manager on a database in a file, whose statements are counted. */
const countingStatements = Layer.unwrapScoped(
  Effect.map(TemporaryDirectory.file("test.db"), (filename) =>
    Plain.layer({ maxJobs: 10, run: () => Effect.void }).pipe(
      Layer.provide(RunStore.layer),
      Layer.provideMerge(FailingSql.layer({ filename }))
    )
  )
)

/** The search index is written some time after the jobs, for many at once. */
const ofSearch = /charlotte_(unindexed|documents|partitions|search)\b/

const ofOption = /charlotte_(?!(runs|events|generation)\b)/

const strace = ["--follow-forks", "--decode-fds=path", "--trace=write,fdatasync,fsync"]

const canTrace = spawnSync("strace", [...strace, "--output=/dev/null", "true"], { stdio: "ignore" }).status === 0

describe("a job of a kind without options", () => {
  it.live(
    "costs few operations of Effect's run loop, two fibers and eight changes of fiber refs in memory with one caller, and so two commits",
    () =>
      Effect.gen(function* () {
        const { fiberRefs, fibers, operations } = yield* costs({ store: RunStore.layerMemory, callers: 1 })
        holds("operations of a job, in memory, 1 caller", operations, 892)
        holds("fibers of a job, in memory, 1 caller", fibers, 2.1)
        holds("changes of fiber refs of a job, in memory, 1 caller", fiberRefs, 8.1)
      })
  )

  it.live("costs few operations, six fibers and 18 changes of fiber refs in memory if it is stopped", () =>
    Effect.gen(function* () {
      const scene = { store: RunStore.layerMemory, callers: 1, life: untilStopped, run: Effect.never }
      const { fiberRefs, fibers, operations } = yield* costs(scene)
      holds("operations of a job that is stopped, in memory, 1 caller", operations, 1_342)
      holds("fibers of a job that is stopped, in memory, 1 caller", fibers, 6.1)
      holds("changes of fiber refs of a job that is stopped, in memory, 1 caller", fiberRefs, 18.1)
    })
  )

  it.scopedLive(
    "costs fewer operations with 10 callers, and fewer still with 100, which share commits, on SQLite",
    () =>
      Effect.gen(function* () {
        const store = Effect.map(TemporaryDirectory.file("test.db"), inSqlite)
        const ten = yield* costs({ store: yield* store, callers: 10, lives: 300 })
        const hundred = yield* costs({ store: yield* store, callers: 100, lives: 300 })
        holds("operations of a job, SQLite, 10 callers", ten.operations, 450)
        holds("operations of a job, SQLite, 100 callers", hundred.operations, 400)
        holds("fibers of a job, SQLite, 10 callers", ten.fibers, 2.04)
        holds("changes of fiber refs of a job, SQLite, 10 callers", ten.fiberRefs, 1.1)
      })
  )

  it.scopedLive("takes few statements and transactions with 10 callers, and none for an option, on SQLite", () =>
    Effect.gen(function* () {
      const lives = 1_000
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* closedLoop(10, 100, toItsEnd)
      yield* clear
      yield* closedLoop(10, lives, toItsEnd)
      const all = [...(yield* statements)]
      const transactions = all.filter((statement) => statement.startsWith("BEGIN"))
      const ofOptions = all.filter((statement) => !ofSearch.test(statement) && ofOption.test(statement))
      holds("statements of a job, SQLite, 10 callers", all.length / lives, 2.28)
      holds("transactions of a job, SQLite, 10 callers", transactions.length / lives, 0.2)
      holds("statements for options, SQLite, 10 callers", ofOptions.length / lives, 0)
    }).pipe(Effect.provide(countingStatements), withoutTime)
  )

  it.scopedLive.skipIf(!canTrace)("waits for few syncs of the disk with 10 callers, on SQLite", () =>
    Effect.gen(function* () {
      const lives = 1_000
      const directory = yield* TemporaryDirectory.make
      const program = yield* bundle(directory, fileURLToPath(new URL("closedLoopProgram.ts", import.meta.url)))
      const trace = `${directory}/trace`
      const traced = [process.execPath, program, `${directory}/test.db`, `${lives}`]
      const { status, stderr } = spawnSync("strace", [...strace, `--output=${trace}`, ...traced], { encoding: "utf8" })
      expect(status, stderr).toBe(0)
      const [, counted = ""] = readFileSync(trace, "utf8").split(/^.* write\(1<.*counted.*$/m)
      holds("fsyncs of a job, SQLite, FULL, 10 callers", (counted.match(/ f(data)?sync\(/g) ?? []).length / lives, 0.21)
    })
  )

  const yearly = Plain.schedule("yearly", { cron: "0 0 1 1 *", timeZone: "UTC", config: {} })

  it.live.each([
    ["costs", Layer.empty],
    ["with a schedule that has no tick costs", yearly]
  ] as const)("%s 4 writes and 1 read, in 2 transactions, on SQLite", ([, schedule]) =>
    Effect.gen(function* () {
      const { clear, statements } = yield* FailingSql.FailingSql
      yield* Effect.gen(function* () {
        yield* toItsEnd
        yield* clear
        yield* toItsEnd
        const executed = (yield* statements).filter((statement) => !/pragma|charlotte_generation/i.test(statement))
        expect(executed.map((statement) => /^\w+( INTO)?( charlotte_\w+)?/.exec(statement)?.[0])).toEqual([
          "BEGIN",
          "INSERT INTO charlotte_runs",
          "INSERT INTO charlotte_events",
          "COMMIT",
          "BEGIN",
          "SELECT",
          "UPDATE charlotte_runs",
          "INSERT INTO charlotte_events",
          "COMMIT"
        ])
      }).pipe(Effect.provide(Layer.provideMerge(schedule, Plain.layer({ run: () => Effect.void }))))
    }).pipe(Effect.provide(RunStore.layer.pipe(Layer.provideMerge(FailingSql.layer({ filename: ":memory:" })))))
  )
})

describe("a manager without jobs", () => {
  it.live("makes few statements and timers a second, on SQLite", () =>
    Effect.gen(function* () {
      const seconds = 60
      const clock = yield* RealClock
      let timers = 0
      const sleep = (millis: number) =>
        Effect.suspend(() => {
          timers += 1
          return clock.sleep(millis)
        })
      const effectClock = clockOf(
        () => Effect.runSync(clock.now),
        (duration) => sleep(Duration.toMillis(duration))
      )
      yield* Effect.gen(function* () {
        const { clear, statements } = yield* FailingSql.FailingSql
        yield* toItsEnd
        yield* clock.sleep(10_000)
        yield* clear
        timers = 0
        yield* clock.sleep(1_000 * seconds)
        holds("statements a second, SQLite, no jobs", (yield* statements).length / seconds, 13)
        holds("timers a second, SQLite, no jobs", timers / seconds, 6)
      }).pipe(
        Effect.provide(countingStatements),
        Effect.provideService(RealClock, { ...clock, sleep }),
        Effect.withClock(effectClock)
      )
    }).pipe(Effect.provide(hurriedClock.layer))
  )
})
