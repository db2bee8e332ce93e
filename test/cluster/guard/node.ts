/**
 * A node with a guard and stubborn processes, which is meant to be killed or stopped. Its arguments: a directory with one for each
 * process, the program of the guard, and milliseconds of silence.
 */
import { Effect, Layer, Runtime } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Guard from "../../../src/cluster/guard/Guard.js"
import { GuardProgram } from "../../../src/cluster/guard/GuardProgram.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import * as ProcessRunner from "../../../src/process/ProcessRunner.js"
import { script, store } from "../../process/workshop.js"
import { lasting } from "./lasting.js"

const [, , home = ".", guard = "", silence = "6000"] = process.argv

/** In place of the lease. */
const beat = Effect.gen(function* () {
  const { beat } = yield* Guard.Guard
  const { sleep } = yield* RealClock
  return yield* Effect.forever(Effect.zipRight(beat(0), sleep(100)))
})

/** Says so once the guard has all that it was given before. */
const reportGuarded = Effect.gen(function* () {
  const { watch } = yield* Guard.Guard
  const runtime = yield* Effect.runtime()
  const report = Effect.map(watch("probe"), () => void process.stdout.write("guarded\n"))
  process.on("SIGUSR2", () => void Runtime.runFork(runtime)(report))
})

const program = Effect.gen(function* () {
  const runner = yield* ProcessRunner.ProcessRunner
  yield* Effect.fork(beat)
  yield* reportGuarded
  yield* Effect.forEach(
    lasting,
    (text, index) => {
      const directory = join(home, String(index))
      mkdirSync(directory)
      return runner.run(script(directory, text))
    },
    { concurrency: "unbounded" }
  )
  process.stdout.write("all processes have ended\n")
  return yield* Effect.never
})

const layer = ProcessRunner.layer.pipe(
  Layer.provideMerge(Guard.layer({ silence: Number(silence), lease: Number(silence) - 1 })),
  Layer.provide(store)
)

const running = Effect.runFork(
  program.pipe(Effect.provide(layer), Effect.provideService(GuardProgram, [process.execPath, guard]))
)

// The processes of this node are what a regular end waits for.
process.on("SIGTERM", () => void running.unsafeInterruptAsFork(running.id()))
