import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { type Entry, proc, type ProcessTable } from "../../src/process/ProcessTable.js"
import * as ProcessTree from "../../src/process/ProcessTree.js"
import { eventually, read } from "./workshop.js"

interface Told extends Partial<Entry> {
  readonly pid: number
  readonly isMarked?: boolean | undefined
  readonly isGone?: boolean
}

const ordinary = {
  name: "program",
  parent: 1,
  group: 100,
  session: 100,
  startTime: 1000,
  isDead: false,
  isStopped: false,
  isRunning: false,
  isBare: false,
  isKernel: false
}

/** A machine with these processes on it. Sessions and groups are of 100, the child, where nothing else is told. */
const machine = (processes: ReadonlyArray<Told>): ProcessTable => {
  const get = (pid: number) => processes.find((process) => process.pid === pid)
  return {
    pids: () => processes.map(({ pid }) => pid),
    get: (pid) => {
      const told = get(pid)
      if (told === undefined || told.isGone === true) return undefined
      return { ...ordinary, ...told }
    },
    isMarked: ({ pid }) => {
      const told = get(pid)
      return told !== undefined && "isMarked" in told ? told.isMarked : false
    },
    signal: () => false
  }
}

/** Whom the tree of process 100, started at 1000, consists of. Nobody is signalled. */
const found = (processes: ReadonlyArray<Told>, leader: ProcessTree.Leader | undefined) =>
  ProcessTree.make({ table: Option.some(machine(processes)), cookie: "cookie", leader })
    .sweep()
    .found.map(({ pid }) => pid)
    .sort()

const child = { pid: 100, startTime: 1000, isChild: true }

/** The child of a manager that is no more. */
const stranger = { ...child, isChild: false }

describe("a process tree", () => {
  it("is the child's session, and the session of everybody who carries the cookie", () => {
    expect(
      found(
        [
          { pid: 100 },
          { pid: 101, group: 101 },
          { pid: 102, session: 102, isMarked: true },
          { pid: 103, session: 102 },
          { pid: 104, session: 104 }
        ],
        child
      )
    ).toEqual([100, 101, 102, 103])
  })

  it("remains without the child, whose pid is not reused yet", () => {
    expect(found([{ pid: 101 }], child)).toEqual([101])
    expect(found([{ pid: 100, isDead: true }, { pid: 101 }], stranger)).toEqual([101])
  })

  it("holds no process that is older than the child", () => {
    expect(found([{ pid: 99, startTime: 999, isMarked: true }], child)).toEqual([])
  })

  it("holds no process that reuses the child's pid", () => {
    const others = [
      { pid: 100, startTime: 1001 },
      { pid: 101, startTime: 1002 }
    ]
    expect(found(others, child)).toEqual([])
    expect(found(others, stranger)).toEqual([])
  })

  it("of another manager is known by the child or by the cookie, not by the number of its session", () => {
    expect(found([{ pid: 101 }], stranger)).toEqual([])
    expect(found([{ pid: 101 }, { pid: 102, isMarked: true }], stranger)).toEqual([101, 102])
    expect(found([{ pid: 100 }, { pid: 101 }], stranger)).toEqual([100, 101])
    expect(found([{ pid: 101 }, { pid: 102, session: 102, isMarked: true }], undefined)).toEqual([102])
  })

  /** A tree, and the processes to change. */
  const changing = (...processes: Array<Told>) => {
    const tree = ProcessTree.make({ table: Option.some(machine(processes)), cookie: "cookie", leader: child })
    return {
      become: (...others: Array<Told>) => void processes.splice(0, processes.length, ...others),
      found: () => tree.sweep().found.map(({ pid }) => pid),
      isSurelyEmpty: () => {
        const { found, isComplete } = tree.scan()
        return found.length === 0 && isComplete
      }
    }
  }

  it("is not trusted any more once its session was seen empty", () => {
    const { become, found } = changing({ pid: 100 })
    expect(found()).toEqual([100])
    become({ pid: 101 })
    expect(found()).toEqual([101])
    // Perhaps it is empty, perhaps not.
    become({ pid: 102, isDead: true })
    expect(found()).toEqual([])
    become({ pid: 102, isDead: true }, { pid: 103 })
    expect(found()).toEqual([103])
    become({ pid: 102, isDead: true })
    expect(found()).toEqual([])
    become({ pid: 104 })
    expect(found()).toEqual([])
  })

  it("is known to be empty only when no process can have been missed", () => {
    const { become, isSurelyEmpty } = changing({ pid: 90, session: 90 })
    expect(isSurelyEmpty()).toBe(true)
    // In the middle of an exec.
    become({ pid: 101, session: 101, isMarked: undefined })
    expect(isSurelyEmpty()).toBe(false)
    // Has it left anybody? The next look tells.
    become({ pid: 101, session: 101, isDead: true })
    expect(isSurelyEmpty()).toBe(false)
    expect(isSurelyEmpty()).toBe(true)
    // Was listed, and is gone.
    become({ pid: 102, isGone: true })
    expect(isSurelyEmpty()).toBe(false)
    become()
    expect(isSurelyEmpty()).toBe(true)
  })

  it("never has this program in it, nor who is in its session", () => {
    const session = proc.get(process.pid)?.session ?? 0
    expect(
      found(
        [
          { pid: process.pid, session, isMarked: true },
          { pid: 102, session, isMarked: true }
        ],
        child
      )
    ).toEqual([])
  })
})

describe("the table of processes", () => {
  const started = (file: string, args: ReadonlyArray<string>, env?: NodeJS.ProcessEnv) =>
    Effect.acquireRelease(
      Effect.sync(() => spawn(file, args, { env })),
      (child) =>
        Effect.promise(async () => {
          child.kill("SIGKILL")
          if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
        })
    )

  const runs = (pid: number, name: string) => eventually(name, () => read(`/proc/${pid}/comm`) === `${name}\n`)

  it.scopedLive("knows who carries a cookie, and who has no variables at all", () =>
    Effect.gen(function* () {
      const isMarked = (env: NodeJS.ProcessEnv) =>
        Effect.gen(function* () {
          const { pid = 0 } = yield* started("/bin/sleep", ["1000"], env)
          yield* runs(pid, "sleep")
          const entry = proc.get(pid)
          return entry && { isBare: entry.isBare, isMarked: proc.isMarked(entry, ["cookie"]) }
        })
      expect(yield* isMarked({ NAME: "a cookie" })).toEqual({ isBare: false, isMarked: true })
      expect(yield* isMarked({ NAME: "value" })).toEqual({ isBare: false, isMarked: false })
      expect(yield* isMarked({})).toEqual({ isBare: true, isMarked: false })
    })
  )

  it.scopedLive("counts a zombie as dead", () =>
    Effect.gen(function* () {
      // The sleep that the shell becomes never asks how its child has ended.
      const child = yield* started("sh", ["-c", "exec 3<&0; read x <&3 & echo $!; exec sleep 1000"])
      const { pid = 0 } = child
      const [line] = yield* Effect.promise(() => once(child.stdout, "data"))
      yield* runs(pid, "sleep")
      const zombie = Number(String(line))
      expect(proc.get(zombie)?.isDead).toBe(false)
      child.stdin.end("\n")
      yield* eventually("a zombie", () => proc.get(zombie)?.isDead === true)
      expect(proc.get(pid)?.isDead).toBe(false)
    })
  )
})
