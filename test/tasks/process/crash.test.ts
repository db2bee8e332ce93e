import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Database from "../../../src/store/Database.js"
import * as RunStore from "../../../src/store/RunStore.js"
import * as ProcessRunner from "../../../src/tasks/ProcessRunner.js"
import { directory, isHeld, jobId, pause, stubborn } from "./workshop.js"

/** How often; a long run takes 50. */
const kills = Number(process.env["CHARLOTTE_KILLS"] ?? 5)

/** The longest time from the first start to the kill, in milliseconds; after half of it all processes are there. */
const longest = 800

const manager = fileURLToPath(new URL("manager.ts", import.meta.url))

/** Starts a manager and kills it so long after it has begun to start processes. */
const crash = (home: string, millis: number) =>
  Effect.gen(function* () {
    const child = spawn(process.execPath, ["--import", "tsx", manager, home], { stdio: ["ignore", "pipe", "inherit"] })
    const gone = once(child, "exit")
    yield* Effect.promise(() => once(child.stdout, "data"))
    yield* pause(millis)
    child.kill("SIGKILL")
    expect(yield* Effect.promise(() => gone)).toEqual([null, "SIGKILL"])
  })

const recover = (home: string) => {
  const Store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename: join(home, "runs.db") })))
  return Effect.gen(function* () {
    const runner = yield* ProcessRunner.ProcessRunner
    const { attempts } = yield* RunStore.RunStore
    const opened = yield* attempts.unclosed(jobId)
    yield* runner.recover(jobId)
    for (const { cookie } of opened) expect(existsSync(join(tmpdir(), `charlotte-${cookie}`))).toBe(false)
    return { opened: opened.length, unclosed: yield* attempts.unclosed(jobId) }
  }).pipe(Effect.provide(ProcessRunner.layer.pipe(Layer.provideMerge(Store))))
}

it.scopedLive(
  `nothing is alive after the recovery from a crash, at ${kills} moments`,
  () =>
    Effect.gen(function* () {
      let alive = 0
      let opened = 0
      for (let i = 0; i < kills; i++) {
        const home = yield* directory
        yield* crash(home, (longest * i) / Math.max(1, kills - 1))
        const locks = Object.keys(stubborn)
          .map((_, index) => join(home, String(index), "lock"))
          .filter((lock) => existsSync(lock))
        alive += locks.filter(isHeld).length
        const recovered = yield* recover(home)
        opened += recovered.opened
        expect(recovered.unclosed).toEqual([])
        expect(locks.filter(isHeld)).toEqual([])
      }
      expect(opened).toBeGreaterThan(kills)
      expect(alive).toBeGreaterThan(kills)
    }),
  120_000 + kills * 20_000
)
