/**
 * Records that several machines share.
 */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Deferred, Effect, Fiber, Logger } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { StoreError } from "../../src/domain/errors.js"
import { MachineRef } from "../../src/internal/Machine.js"
import { KernelRef, startTime } from "../../src/internal/ProcessIdentity.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import { RunStore } from "../../src/store/RunStore.js"
import { directory, isAlive, jobId, layer, script } from "./workshop.js"

/** The records in memory, as managers on several machines would share them. */
const shared = Effect.map(RunStore, ({ childProcesses }) => ({ ...childProcesses, spansMachines: true }))

const runnerOn = (machine: string) =>
  Effect.provideService(Effect.flatMap(shared, ProcessRunner.make), MachineRef, machine)

/** A process that is recorded, and not a child of any runner. */
const recorded = (
  cookie: string,
  { attempt = 1, bootId, machine }: { readonly machine: string | undefined; bootId?: string; attempt?: number }
) =>
  Effect.gen(function* () {
    const { pid = 0 } = yield* Effect.acquireRelease(
      Effect.sync(() => spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })),
      (child) =>
        Effect.promise(async () => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const gone = once(child, "exit")
          child.kill("SIGKILL")
          await gone
        })
    )
    const attempts = yield* shared
    const { self } = yield* KernelRef
    const at = yield* DateTime.now
    yield* attempts.open({ cookie, jobId, attempt, bootId: bootId ?? self.bootId, machine, purpose: "agent", at })
    yield* attempts.spawned({ cookie, pid, startTime: startTime(pid) })
    return pid
  })

const unclosed = Effect.flatMap(shared, (attempts) =>
  Effect.map(attempts.unclosed(jobId), (open) => open.map(({ cookie }) => cookie))
)

const recordsWhileRunning = (runner: ProcessRunner.Service) =>
  Effect.gen(function* () {
    const { childProcesses } = yield* RunStore
    const home = yield* directory
    const running = yield* Effect.fork(runner.run(script(home, "sleep 1000")))
    const open = yield* Effect.repeat(Effect.zipRight(Effect.yieldNow(), childProcesses.unclosed(jobId)), {
      until: (open) => open.length > 0
    })
    yield* Fiber.interrupt(running)
    return open.map(({ machine }) => machine)
  })

describe("records that several machines share", () => {
  it.scopedLive("of another machine stay open, and its processes alive, whatever their boot", () =>
    Effect.gen(function* () {
      const pids = [
        yield* recorded("same boot", { machine: "there" }),
        yield* recorded("other boot", { machine: "there", bootId: "another" })
      ]
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => void logged.push(String(message)))
      const recover = Effect.flatMap(runnerOn("here"), (runner) => runner.recover(jobId))
      expect(yield* Effect.provide(recover, Logger.replace(Logger.defaultLogger, logger))).toBe(0)
      expect(logged).toEqual(pids.map((pid) => `agent (pid ${pid}) is left to a manager on machine there`))
      expect(yield* unclosed).toEqual(["same boot", "other boot"])
      expect(pids.map(isAlive)).toEqual([true, true])

      expect(yield* (yield* runnerOn("there")).recover(jobId)).toBe(1)
      expect(yield* unclosed).toEqual([])
      expect(pids.map(isAlive)).toEqual([false, true])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("of an attempt that has begun since stay open, and its processes alive", () =>
    Effect.gen(function* () {
      const pids = [
        yield* recorded("dead", { machine: "here", attempt: 1 }),
        yield* recorded("next", { machine: "here", attempt: 2 })
      ]
      const runner = yield* runnerOn("here")
      expect(yield* runner.recover(jobId, 1)).toBe(1)
      expect(yield* unclosed).toEqual(["next"])
      expect(pids.map(isAlive)).toEqual([false, true])
      expect(yield* runner.recover(jobId)).toBe(1)
      expect(pids.map(isAlive)).toEqual([false, false])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("that name no machine are of this one", () =>
    Effect.gen(function* () {
      const pid = yield* recorded("old", { machine: undefined })
      expect(yield* (yield* runnerOn("here")).recover(jobId)).toBe(1)
      expect(isAlive(pid)).toBe(false)
      expect(yield* unclosed).toEqual([])
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("name the machine of each process", () =>
    Effect.gen(function* () {
      expect(yield* recordsWhileRunning(yield* runnerOn("here"))).toEqual(["here"])
    }).pipe(Effect.provide(layer))
  )
})

describe("the record of a process that ends while the database is away", () => {
  it.scopedLive("is closed when the database is back", () =>
    Effect.gen(function* () {
      const { childProcesses } = yield* RunStore
      const away = new StoreError({ operation: "close", reason: "unreachable", cause: new Error("it is away") })
      let tries = 0
      const closed = yield* Deferred.make<void>()
      const runner = yield* ProcessRunner.make({
        ...childProcesses,
        close: (process) =>
          Effect.suspend(() =>
            tries++ === 0 ? away : Effect.zipRight(childProcesses.close(process), Deferred.succeed(closed, undefined))
          )
      })
      yield* runner.run(script(yield* directory, "exit 0"))
      yield* Deferred.await(closed)
      expect(yield* childProcesses.unclosed(jobId)).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})

/** What is recorded of the log of a script, as soon as its end is. */
const recordedLog = (runner: ProcessRunner.Service, commands: string) =>
  Effect.gen(function* () {
    const { childProcesses } = yield* RunStore
    const home = yield* directory
    const options = script(home, commands)
    const { output } = yield* runner.run(options)
    const log = yield* Effect.repeat(
      Effect.zipRight(
        Effect.yieldNow(),
        Effect.map(childProcesses.logs(jobId), ([log]) => log)
      ),
      { until: (log) => log === undefined || log.closedAt !== undefined }
    )
    return { log, output, options }
  })

describe("log of a process on one of several machines", () => {
  it.scopedLive("is recorded with its machine, and all of a short one", () =>
    Effect.gen(function* () {
      const { log, options } = yield* recordedLog(yield* runnerOn("here"), "echo hello; echo bye >&2")
      expect(log).toMatchObject({ log: options.output, machine: "here", tail: "hello\nbye\n" })
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("is recorded by its last 16 KiB, from the beginning of a line", () =>
    Effect.gen(function* () {
      const { log, output } = yield* recordedLog(yield* runnerOn("here"), "seq 1 10000")
      const { tail = "" } = log ?? {}
      expect(output.tail.endsWith(tail)).toBe(true)
      expect(tail).toMatch(/^\d+\n[^]*\n10000\n$/)
      expect(tail.length).toBeGreaterThan(16_370)
      expect(tail.length).toBeLessThanOrEqual(16_384)
      const [first = "", second = ""] = tail.split("\n")
      expect(Number(second)).toBe(Number(first) + 1)
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("is not recorded where the records are of one machine: its file is there", () =>
    Effect.gen(function* () {
      const { log } = yield* recordedLog(yield* ProcessRunner.ProcessRunner, "echo hello")
      expect(log).toBeUndefined()
    }).pipe(Effect.provide(layer))
  )
})

describe("records of one machine", () => {
  it.scopedLive("name no machine, and are of this one, whatever its name was", () =>
    Effect.gen(function* () {
      const runner = yield* ProcessRunner.ProcessRunner
      expect(yield* recordsWhileRunning(runner)).toEqual([undefined])
      const pid = yield* recorded("before the host was renamed", { machine: "there" })
      expect(yield* runner.recover(jobId)).toBe(1)
      expect(isAlive(pid)).toBe(false)
      expect(yield* unclosed).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})
