/**
 * Attempts in control groups of their own. They need a group that is delegated to the user; root makes one for the time of the
 * test, and `scripts/asOrdinaryUser.sh` does for an ordinary user.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import { RunStore } from "../../src/store/RunStore.js"
import * as Cgroup from "../../src/process/Cgroup.js"
import { proc, ProcessTableRef } from "../../src/process/ProcessTable.js"
import * as ProcessRunner from "../../src/process/ProcessRunner.js"
import { deaf, directory, eventually, isAlive, jobId, layer, read, script } from "./workshop.js"

/** A group that this process is moved into; nothing where that cannot be done, or need not. */
const makeOwn = (): { readonly parent: string; readonly group: string } | undefined => {
  const [, mount] = /^\d+ \d+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(read("/proc/self/mountinfo")) ?? []
  const [, path] = /^0::(\/.*)$/m.exec(read("/proc/self/cgroup")) ?? []
  if (mount === undefined || path === undefined || process.getuid?.() !== 0) return undefined
  const parent = join(mount, path)
  const group = join(parent, `charlotte-test-${process.pid}`)
  try {
    mkdirSync(group)
    writeFileSync(join(group, "cgroup.procs"), String(process.pid))
    return { parent, group }
  } catch {
    return undefined
  }
}

const own = Cgroup.detect()?.delegated === undefined ? makeOwn() : undefined

afterAll(() => {
  if (own === undefined) return
  writeFileSync(join(own.parent, "cgroup.procs"), String(process.pid))
  rmdirSync(own.group)
})

const cgroups = Cgroup.detect()

const delegated = cgroups?.delegated

/** The cookies of the groups that were made here; other tests may make some at the same time. */
const made: Array<string> = []

const table = Option.some({
  ...proc,
  cgroups: cgroups && {
    ...cgroups,
    make: (cookie: string) => {
      made.push(cookie)
      return cgroups.make(cookie)
    }
  }
})

const groups = () => made.filter((cookie) => existsSync(join(delegated ?? "/", `charlotte-${cookie}`)))

/** It has left session, environment, streams and mark, and ignores all that can be ignored: only its group tells of it. */
const escape = `env -i setsid sh -c 'ulimit -m 1000000; exec <&- >&- 2>&-; ${deaf.replaceAll("'", `"`)} echo $$ > escaped; exec sleep 1000' & until [ -s escaped ]; do sleep 0.01; done`

const escaped = (home: string) =>
  Effect.map(
    eventually("escaped", () => read(join(home, "escaped")).endsWith("\n")),
    () => Number(read(join(home, "escaped")))
  )

describe.runIf(delegated !== undefined)("a process in a control group of its own", { timeout: 300_000 }, () => {
  const scenario = (title: string, body: Effect.Effect<void, unknown, ProcessRunner.ProcessRunner | RunStore>) =>
    it.scopedLive(title, () => body.pipe(Effect.provide(layer), Effect.provideService(ProcessTableRef, table)))

  scenario(
    "ends with all that it has started, and the group is removed",
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* directory
        const runner = yield* ProcessRunner.ProcessRunner
        expect(runner.reach).toBe("cgroup")
        const { killed, outcome, output } = yield* runner.run(script(home, `cat /proc/self/cgroup; ${escape}`))
        expect(outcome).toEqual({ _tag: "Exited", code: 0 })
        expect(output.tail).toMatch(/^0::\/.*\/charlotte-[0-9a-f-]{36}$/m)
        const pid = yield* escaped(home)
        expect(isAlive(pid)).toBe(false)
        expect(killed).toEqual([{ pid, command: "sleep" }])
        expect(groups()).toEqual([])
      })
    )
  )

  scenario(
    "is ended when it is interrupted",
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* directory
        const runner = yield* ProcessRunner.ProcessRunner
        const fiber = yield* Effect.fork(runner.run(script(home, `${escape}; sleep 1000`)))
        const pid = yield* escaped(home)
        yield* Fiber.interrupt(fiber)
        expect(isAlive(pid)).toBe(false)
        expect(groups()).toEqual([])
      })
    )
  )

  scenario(
    "is found after a crash, when only its group identifies it, also by a manager in another group",
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* directory
        const runner = yield* ProcessRunner.ProcessRunner
        const fiber = yield* Effect.fork(runner.run(script(home, `${escape}; echo $$ > leader; sleep 1000`)))
        const pid = yield* escaped(home)
        yield* eventually("the leader", () => read(join(home, "leader")).endsWith("\n"))
        const { childProcesses: attempts } = yield* RunStore
        // The next manager is in a group that it may not divide.
        const elsewhere = cgroups && { ...cgroups, delegated: undefined, make: () => undefined }
        const next = yield* ProcessRunner.make(attempts).pipe(
          Effect.provideService(ProcessTableRef, Option.some({ ...proc, cgroups: elsewhere }))
        )
        expect(yield* next.recover(jobId)).toBeGreaterThanOrEqual(2)
        expect(isAlive(pid)).toBe(false)
        yield* Fiber.join(fiber)
        expect(groups()).toEqual([])
      })
    )
  )

  scenario(
    "that could not start leaves no group",
    Effect.scoped(
      Effect.gen(function* () {
        const home = yield* directory
        const runner = yield* ProcessRunner.ProcessRunner
        const { outcome } = yield* runner.run({ ...script(home, ""), command: ["no-such-command"] })
        expect(outcome._tag).toBe("CouldNotStart")
        expect(groups()).toEqual([])
      })
    )
  )
})

describe.runIf(cgroups !== undefined && delegated === undefined)("a control group that is not the user's", () => {
  it("is not divided", () => {
    expect(cgroups?.make("cookie")).toBeUndefined()
  })
})
