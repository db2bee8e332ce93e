import { describe, expect, it } from "@effect/vitest"
import type { Message } from "../../../src/cluster/guard/protocol.js"
import * as Watchdog from "../../../src/cluster/guard/Watchdog.js"
import type { Entry, ProcessTable } from "../../../src/process/ProcessTable.js"

const silence = 6_000

interface Simulated {
  readonly pid: number
  readonly cookie: string
  readonly startTime?: number
  /** Hangs in the kernel. */
  readonly isDeaf?: boolean
}

/** A guard on a machine with these processes, whose time passes when the test says so. */
const machine = (...initial: ReadonlyArray<Simulated>) => {
  const processes = new Map(initial.map((process) => [process.pid, process]))
  const no = { isDead: false, isStopped: false, isRunning: false, isBare: false, isKernel: false }
  const entry = ({ pid, startTime = 1 }: Simulated): Entry => ({
    ...no,
    ...{ pid, name: "sleep", parent: 1, group: pid, session: pid, startTime }
  })
  const table: ProcessTable = {
    pids: () => [...processes.keys()],
    get: (pid) => {
      const found = processes.get(pid)
      return found && entry(found)
    },
    isMarked: ({ pid }, cookies) => cookies.includes(processes.get(pid)?.cookie ?? ""),
    signal: (target, signal) => {
      expect(signal).toBe("SIGKILL")
      const pid = Math.abs(target)
      return processes.get(pid)?.isDeaf !== true && processes.delete(pid)
    }
  }
  let [now, number, exits] = [50_000, 0, 0]
  let due: { readonly at: number; readonly run: () => void } | undefined
  const answered: Array<number> = []
  const watchdog = Watchdog.make({
    table,
    silence,
    freshAt: now,
    uptime: () => now,
    schedule: (run, millis) => {
      const timer = { at: now + millis, run }
      due = timer
      return { cancel: () => (due = due === timer ? undefined : due) }
    },
    answer: (number) => answered.push(number),
    exit: () => (exits += 1)
  })
  const pass = (millis: number) => {
    const end = now + millis
    while (due !== undefined && due.at <= end) {
      const { at, run } = due
      due = undefined
      now = at
      run()
    }
    now = end
  }
  return {
    pass,
    end: () => {
      watchdog.end()
      pass(1)
    },
    /** Returns its number. */
    send: (message: Message) => {
      number += 1
      watchdog.receive({ number, message })
      pass(1)
      return number
    },
    beat: (age = 0) => watchdog.receive({ number: ++number, message: { type: "beat", uptime: now - age } }),
    start: (process: Simulated) => processes.set(process.pid, process),
    answered,
    alive: () => [...processes.keys()],
    exits: () => exits
  }
}

const watch = (cookie: string): Message => ({ type: "watch", cookie })

describe("a guard", () => {
  it("kills what it watches, and nothing else, once its node is gone, and ends", () => {
    const guard = machine({ pid: 11, cookie: "a" }, { pid: 12, cookie: "b" }, { pid: 13, cookie: "c" })
    guard.send(watch("a"))
    guard.send(watch("b"))
    guard.send({ type: "release", cookie: "b" })
    expect(guard.alive()).toEqual([11, 12, 13])
    guard.end()
    guard.pass(10)
    expect(guard.alive()).toEqual([12, 13])
    expect(guard.exits()).toBe(1)
  })

  it("ends at once when there is nothing to kill", () => {
    const guard = machine({ pid: 11, cookie: "a" })
    guard.end()
    expect(guard.exits()).toBe(1)
    expect(guard.alive()).toEqual([11])
  })

  it("kills after a silence since the time at which the lease was fresh, not at which it heard of it", () => {
    const guard = machine({ pid: 11, cookie: "a" })
    guard.send(watch("a"))
    for (let i = 0; i < 20; i++) {
      guard.beat(2_000)
      guard.pass(1_000)
    }
    guard.pass(silence - 3_001)
    expect(guard.alive()).toEqual([11])
    guard.pass(300)
    expect(guard.alive()).toEqual([])
    expect(guard.exits()).toBe(0)
  })

  it("takes no beat for one of the future", () => {
    const guard = machine({ pid: 11, cookie: "a" })
    guard.send(watch("a"))
    guard.beat(-100_000)
    guard.pass(silence + 300)
    expect(guard.alive()).toEqual([])
  })

  it("kills at once what a node starts that stood still, and lets it start nothing before it has its lease again", () => {
    const guard = machine()
    const before = guard.send(watch("a"))
    guard.pass(silence + 300)
    guard.start({ pid: 11, cookie: "a" })
    guard.send({ type: "spawned", cookie: "a", pid: 11, startTime: 1 })
    expect(guard.alive()).toEqual([])

    const after = guard.send(watch("b"))
    guard.beat(silence + 1)
    expect(guard.answered).toContain(before)
    expect(guard.answered).not.toContain(after)
    guard.beat()
    expect(guard.answered).toContain(after)
    guard.start({ pid: 12, cookie: "b" })
    guard.pass(silence - 100)
    expect(guard.alive()).toEqual([12])
  })

  it("finds within a second what was started without a word while its node had no lease", () => {
    const guard = machine()
    guard.send(watch("a"))
    guard.pass(silence + 60_000)
    guard.start({ pid: 11, cookie: "a" })
    guard.pass(1_000)
    expect(guard.alive()).toEqual([])
  })

  it("kills no process that has the number of one which is gone", () => {
    const guard = machine({ pid: 11, cookie: "", startTime: 7 }, { pid: 12, cookie: "", startTime: 7 })
    for (const [pid, startTime] of [[11, 6] as const, [12, 7] as const]) {
      guard.send(watch(`cookie ${pid}`))
      guard.send({ type: "spawned", cookie: `cookie ${pid}`, pid, startTime })
    }
    guard.end()
    guard.pass(100)
    expect(guard.alive()).toEqual([11])
    expect(guard.exits()).toBe(1)
  })

  it("waits for what does not die, but not for ever", () => {
    const guard = machine({ pid: 11, cookie: "a", isDeaf: true })
    guard.send(watch("a"))
    guard.end()
    guard.pass(55_000)
    expect(guard.exits()).toBe(0)
    guard.pass(10_000)
    expect(guard.exits()).toBe(1)
  })
})
