import { expect, it } from "@effect/vitest"
import { Database, JobManager, RunStore } from "charlotte"
import { ProcessRunner } from "charlotte/tasks"
import { Effect, Layer, Random, Schema } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundle } from "../support/bundle.js"
import { isLong } from "../support/long.js"
import { directory, eventually, isHeld, killHolders, kind, pause, read, stubborn } from "./workshop.js"

const kills = Number(process.env["CHARLOTTE_KILLS"] ?? (isLong ? 30 : 8))

/** Starts a manager with a job, and kills it some milliseconds after so many of its processes were ready. */
const crash = (program: string, home: string, { ready, millis }: { readonly ready: number; readonly millis: number }) =>
  Effect.gen(function* () {
    const { child, gone } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, [program, home], { stdio: ["ignore", "pipe", "inherit"] })
        return { child, gone: once(child, "exit") }
      }),
      ({ child, gone }) => {
        child.kill("SIGKILL")
        return Effect.promise(() => gone)
      }
    )
    yield* Effect.promise(() => once(child.stdout, "data"))
    // By then, one that leaves a child behind may have been ended with that: not all of them live at the same time.
    yield* eventually(`${ready} processes`, () => homesIn(home).filter(isReady).length >= ready)
    yield* pause(millis)
    child.kill("SIGKILL")
    expect(yield* Effect.promise(() => gone)).toEqual([null, "SIGKILL"])
  })

const homesIn = (home: string): ReadonlyArray<string> =>
  Object.keys(stubborn).map((_, index) => join(home, String(index)))

const isReady = (home: string): boolean => read(join(home, "output.log")).includes("ready")

const locksOf = (home: string): ReadonlyArray<string> => homesIn(home).map((home) => join(home, "lock"))

const locksIn = (home: string): ReadonlyArray<string> => locksOf(home).filter((lock) => existsSync(lock))

const pipesOf = (cookie: string): ReadonlyArray<string> => readdirSync(tmpdir()).filter((name) => name.includes(cookie))

/** The next manager, and what its orchestrator finds alive when the job goes on. */
const goOn = (home: string) => {
  const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: join(home, "runs.db") })))
  return Effect.gen(function* () {
    const runner = yield* ProcessRunner.ProcessRunner
    const { childProcesses: attempts, list } = yield* RunStore.RunStore
    const [run] = yield* list()
    if (run === undefined) return yield* Effect.dieMessage("an acknowledged job is lost")
    const opened = yield* attempts.unclosed(run.id)
    const manager = yield* JobManager.make({
      kind,
      config: Schema.Struct({}),
      orchestrator: { run: () => Effect.sync(() => locksIn(home).filter(isHeld)), recover: runner.recover }
    })
    expect(yield* manager.await(run.id)).toMatchObject({ status: "completed", attempt: 2, result: [] })
    expect(yield* attempts.unclosed(run.id)).toEqual([])
    for (const { cookie } of opened) expect(pipesOf(cookie)).toEqual([])
    return opened.length
  }).pipe(Effect.scoped, Effect.provide(ProcessRunner.layer.pipe(Layer.provideMerge(Store))))
}

it.scopedLive(
  `nothing of a killed manager is alive when its job goes on, at ${kills} moments`,
  () =>
    Effect.gen(function* () {
      let alive = 0
      let opened = 0
      const program = yield* bundle(yield* directory, fileURLToPath(new URL("manager.ts", import.meta.url)))
      for (let i = 0; i < kills; i++) {
        const home = yield* directory
        yield* Effect.addFinalizer(() => killHolders(locksOf(home)))
        // All of them in each third world, and by chance in the others.
        const ready =
          i % 3 === 0 ? Object.keys(stubborn).length : yield* Random.nextIntBetween(0, Object.keys(stubborn).length)
        yield* crash(program, home, { ready, millis: yield* Random.nextIntBetween(0, 100) })
        alive += locksIn(home).filter(isHeld).length
        opened += yield* goOn(home)
      }
      expect(opened).toBeGreaterThan(kills)
      expect(alive).toBeGreaterThan(kills)
      process.stdout.write(`process crash: ${kills} kills, ${opened} processes recorded, ${alive} alive then, 0 left\n`)
    }).pipe(Effect.withRandom(Random.make("stubborn"))),
  120_000 + kills * 20_000
)
