import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { type Entry, proc, type ProcessTable } from "../../../src/tasks/process/ProcessTable.js"
import * as ProcessTree from "../../../src/tasks/process/ProcessTree.js"
import { eventually, isAlive } from "./workshop.js"

interface Told extends Partial<Entry> {
  readonly pid: number
  readonly isMarked?: boolean
}

/** A machine with these processes on it. Sessions and groups are of 100, the child, where nothing else is told. */
const machine = (processes: ReadonlyArray<Told>): ProcessTable => {
  const get = (pid: number) => processes.find((process) => process.pid === pid)
  return {
    pids: () => processes.map(({ pid }) => pid),
    get: (pid) => {
      const told = get(pid)
      return told && { group: 100, session: 100, startTime: 1000, isDead: false, ...told }
    },
    isMarked: (pid) => get(pid)?.isMarked === true
  }
}

/** Whom the tree of process 100, started at 1000, consists of. Nobody is signalled. */
const found = (processes: ReadonlyArray<Told>, leader: ProcessTree.Leader | undefined) =>
  ProcessTree.make({ table: Option.some(machine(processes)), cookie: "cookie", leader }).sweep()

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

  it("is there without the child, whose number nobody else has yet", () => {
    expect(found([{ pid: 101 }], child)).toEqual([101])
    expect(found([{ pid: 100, isDead: true }, { pid: 101 }], stranger)).toEqual([101])
  })

  it("has nobody in it who was there before the child", () => {
    expect(found([{ pid: 99, startTime: 999, isMarked: true }], child)).toEqual([])
  })

  it("has nobody in it who was given the child's number later", () => {
    const others = [
      { pid: 100, startTime: 1001 },
      { pid: 101, startTime: 1002 }
    ]
    expect(found(others, child)).toEqual([])
    expect(found(others, stranger)).toEqual([])
  })

  it("of another manager is known by the child or by the cookie, not by the number of its session", () => {
    expect(found([{ pid: 101 }], stranger)).toEqual([])
    expect(found([{ pid: 101 }, { pid: 102, isMarked: true }], stranger)).toEqual([102, 101])
    expect(found([{ pid: 100 }, { pid: 101 }], stranger)).toEqual([100, 101])
    expect(found([{ pid: 101 }, { pid: 102, session: 102, isMarked: true }], undefined)).toEqual([102])
  })

  it("is not trusted any more once its session was seen empty", () => {
    const processes: Array<Told> = [{ pid: 100 }]
    const tree = ProcessTree.make({
      table: Option.some(machine(processes)),
      cookie: "cookie",
      leader: child
    })
    expect(tree.sweep()).toEqual([100])
    processes.splice(0, 1, { pid: 101 })
    expect(tree.sweep()).toEqual([101])
    processes.splice(0, 1, { pid: 102, isDead: true })
    expect(tree.sweep()).toEqual([])
    processes.splice(0, 1, { pid: 103 })
    expect(tree.sweep()).toEqual([])
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
  it.scopedLive("counts a zombie as dead", () =>
    Effect.gen(function* () {
      // The sleep that the shell becomes does not ask how its child has ended.
      const child = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 1000"], { stdio: ["ignore", "pipe", "ignore"] })
      const gone = once(child, "exit")
      const [line] = yield* Effect.promise(() => once(child.stdout, "data"))
      const zombie = Number(String(line))
      yield* eventually("a zombie", () => proc.get(zombie)?.isDead === true)
      expect({ zombie: isAlive(zombie), parent: proc.get(child.pid ?? 0)?.isDead }).toEqual({
        zombie: false,
        parent: false
      })
      child.kill("SIGKILL")
      yield* Effect.promise(() => gone)
    })
  )
})
