import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { spawn } from "node:child_process"
import { readlinkSync } from "node:fs"
import * as Guard from "../../../src/cluster/guard/Guard.js"
import * as GuardProcess from "../../../src/cluster/guard/GuardProcess.js"
import { GuardProgram } from "../../../src/cluster/guard/GuardProgram.js"
import { startTime } from "../../../src/internal/ProcessIdentity.js"
import { eventually, isAlive } from "../../process/workshop.js"
import { gone, guardProgram, guardsOf } from "./scene.js"

/** A guard, its process, and the end of its node. */
const guarded = (silence: number) =>
  Effect.gen(function* () {
    const program = yield* guardProgram
    const before = guardsOf(process.pid)
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const guard = yield* GuardProcess.make(silence).pipe(
      Scope.extend(scope),
      Effect.provideService(GuardProgram, [process.execPath, program])
    )
    const others = () => guardsOf(process.pid).filter((pid) => !before.includes(pid))
    const [pid = 0] = others()
    return { guard, pid, others, end: Scope.close(scope, Exit.void) }
  })

const bystander = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  ),
  ({ pid = 0 }) => ({ pid, startTime: Number(startTime(pid)) })
)

describe.runIf(process.platform === "linux")("a guard process", () => {
  it.scopedLive("kills what was started as what it was given, and nothing that has its number by now", () =>
    Effect.gen(function* () {
      const { end, guard, pid } = yield* guarded(60_000)
      const [started, reused, released] = yield* Effect.all([bystander, bystander, bystander])
      for (const cookie of ["started", "reused", "released"]) yield* guard.watch(cookie)
      yield* guard.spawned({ cookie: "started", ...started })
      yield* guard.spawned({ cookie: "reused", ...reused, startTime: reused.startTime - 1 })
      yield* guard.spawned({ cookie: "released", ...released })
      yield* guard.release("released")
      yield* end
      yield* eventually("the end of what was started", () => !isAlive(started.pid))
      expect(isAlive(pid)).toBe(false)
      expect([reused, released].map(({ pid }) => isAlive(pid))).toEqual([true, true])
    })
  )

  it.scopedLive("holds nothing of its node, and is in a session of its own", () =>
    Effect.gen(function* () {
      const { end, pid } = yield* guarded(60_000)
      const fd = (of: number, number: number) => readlinkSync(`/proc/${of}/fd/${number}`)
      for (const own of [0, 1, 2]) {
        const held = [0, 1, 2].map((number) => fd(process.pid, number)).filter((name) => name !== "/dev/null")
        expect(held).not.toContain(fd(pid, own))
      }
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe("/")
      expect(isAlive(pid)).toBe(true)
      yield* end
      expect(isAlive(pid)).toBe(false)
    })
  )

  it.scopedLive("that reads nothing holds up nothing but the start of processes", () =>
    Effect.gen(function* () {
      const { guard, pid } = yield* guarded(60_000)
      process.kill(pid, "SIGSTOP")
      const cookies = Array.from({ length: 3_000 }, (_, i) => `cookie-${i}`)
      const all = yield* Deferred.make<void>()
      const watching = yield* Effect.fork(
        Effect.zipRight(
          Effect.forEach(cookies, guard.watch, { concurrency: "unbounded", discard: true }),
          Deferred.succeed(all, undefined)
        )
      )
      yield* guard.beat(0)
      yield* Effect.forEach(cookies.slice(0, 1_500), guard.release, { discard: true })
      expect(yield* Deferred.isDone(all)).toBe(false)
      process.kill(pid, "SIGCONT")
      yield* Fiber.join(watching)
      yield* Effect.forEach(cookies, guard.release, { discard: true })
    })
  )

  it.scopedLive("that stands still is replaced, and kills nothing", () =>
    Effect.gen(function* () {
      // Longer than a busy machine may keep its node from beating: otherwise the guard would be right to kill.
      const { guard, others, pid } = yield* guarded(5_000)
      const mine = yield* bystander
      const beating = yield* Effect.fork(Effect.forever(Effect.zipLeft(guard.beat(0), Effect.sleep(50))))
      yield* guard.watch("mine")
      yield* guard.spawned({ cookie: "mine", ...mine })
      process.kill(pid, "SIGSTOP")
      const waiting = yield* Effect.fork(guard.watch("more"))
      yield* gone(pid)
      yield* Fiber.join(waiting)
      expect(others()).toHaveLength(1)
      expect(isAlive(mine.pid)).toBe(true)
      yield* guard.release("mine")
      yield* guard.release("more")
      yield* Fiber.interrupt(beating)
    })
  )

  it.scopedLive("that does not start is an error with the reason", () =>
    Effect.gen(function* () {
      const reason = (...command: readonly [string, ...Array<string>]) =>
        Effect.flip(Effect.provideService(Guard.make(), GuardProgram, command))
      expect(yield* reason("/no/such/program")).toMatchObject({ _tag: "GuardNotStarted", reason: /ENOENT/ })
      expect((yield* reason("/bin/sh", "-c", "exit 3")).message).toBe(
        "the guard process did not start: it exited with 3"
      )
    })
  )
})

describe("the times of a guard", () => {
  const refused = (options: Guard.Options) =>
    Effect.map(Effect.exit(Effect.scoped(Guard.make(options))), (exit) => Exit.isFailure(exit) && String(exit.cause))

  it.effect("follow the lease, and leave a second before others take the jobs", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<Guard.Options> = [
        { lease: "6 seconds" },
        { silence: "5 seconds" },
        { silence: "9.5 seconds" },
        { lease: 7, silence: 6 },
        { lease: "7 seconds", silence: "6 seconds" }
      ]
      for (const options of wrong) {
        expect(yield* refused(options)).toContain("the silence of the guard has to be longer than the lease")
      }
    })
  )
})
