/**
 * The kernel's processes: what agents and gates run as. They live and die by themselves, heed signals or do not, and go on
 * when the process that started them is killed.
 */
import { Deferred, Effect, FiberId } from "effect"
import type { Launch, LaunchOptions } from "../../src/process/spawnProcess.js"
import { CouldNotStart, Exited, type ProcessOutcome, Signalled } from "../../src/process/ProcessOutcome.js"
import type { Entry, ProcessTable } from "../../src/process/ProcessTable.js"
import type { Life } from "./Life.js"
import type { Machine } from "./Machine.js"

export interface Running {
  readonly pid: number
  readonly session: number
  readonly cookie: string
  /** Of the process that started it, or the tree that it is part of. */
  readonly startedBy: number
}

export interface Processes {
  readonly running: () => ReadonlyArray<Running>
  readonly table: ProcessTable
  readonly launch: (life: Life) => Launch
  /** The machine loses its power: of all processes, or of some. */
  readonly killAll: (which?: (process: Running) => boolean) => void
}

/** What a process does. */
export interface Program {
  /** After so many milliseconds it ends by itself; undefined if it does not. */
  readonly takes: number | undefined
  /** How it ends by itself. */
  readonly end: () => ProcessOutcome
  /** What it has printed. */
  readonly printed?: () => string
}

/** The programs that commands run; `isAlive` says whether the process still runs, `isTreeAlive` whether it or a child does. */
export type Programs = (
  options: LaunchOptions,
  process: Running & { readonly isAlive: () => boolean; readonly isTreeAlive: () => boolean }
) => Program

interface Process extends Running {
  readonly startTime: number
  /** It does not care for SIGTERM. */
  readonly stubborn: boolean
  readonly onEnd: (outcome: ProcessOutcome) => void
  dying: boolean
}

/** No process of the real machine has such a number. */
const firstPid = 10_000_000

export const make = (machine: Machine, onStarted: (process: Running) => void, programs?: Programs): Processes => {
  const { random, timeline, trace } = machine
  const processes = new Map<number, Process>()
  let nextPid = firstPid
  let cookies = 0

  const end = (process: Process, outcome: ProcessOutcome) => {
    if (!processes.delete(process.pid)) return
    trace.say(`process ${process.pid} of ${process.cookie} ended`)
    process.onEnd(outcome)
  }

  /** It lives for as long as chance wants, and at times for ever. */
  const anything = (): Program => {
    const takes = random.chance(0.1) ? undefined : random.between(0, random.chance(0.3) ? 8_000 : 400)
    const code = random.chance(0.8) ? 0 : 1
    return { takes, end: () => Exited({ code }) }
  }

  const start = (
    fields: Pick<Process, "cookie" | "startedBy" | "onEnd"> & { readonly session?: number },
    program: (process: Process) => Program = anything
  ) => {
    const pid = nextPid++
    const process: Process = {
      ...fields,
      pid,
      session: fields.session ?? pid,
      startTime: pid,
      stubborn: random.chance(0.25),
      dying: false
    }
    processes.set(pid, process)
    trace.say(`process ${pid} of ${fields.cookie} started`)
    const { end: ending, printed, takes } = program(process)
    if (takes !== undefined)
      timeline.after(takes, () => {
        if (processes.has(pid)) end(process, ending())
      })
    if (random.chance(0.25)) {
      const child = { cookie: fields.cookie, startedBy: fields.startedBy, onEnd: () => {} }
      // In its parent's session, or in one of its own.
      timeline.after(random.between(0, 200), () => {
        if (processes.has(pid)) start(random.chance(0.5) ? { ...child, session: process.session } : child)
      })
    }
    onStarted(process)
    return { process, printed }
  }

  const kill = (process: Process, signal: NodeJS.Signals) => {
    if (process.dying || (signal !== "SIGKILL" && process.stubborn)) return
    process.dying = signal === "SIGKILL"
    const delay = signal === "SIGKILL" ? random.between(0, 15) : random.between(0, 300)
    timeline.after(delay, () => end(process, Signalled({ signal })))
  }

  const get = (pid: number): Entry | undefined => {
    const process = processes.get(pid)
    if (process === undefined) return undefined
    const { session, startTime } = process
    const no = { isDead: false, isStopped: false, isRunning: false, isBare: false, isKernel: false }
    return { pid, name: "agent", parent: 1, group: session, session, startTime, ...no }
  }

  const table: ProcessTable = {
    pids: () => [...processes.keys()],
    get,
    isMarked: ({ pid }, cookies) =>
      random.chance(0.02) ? undefined : cookies.includes(processes.get(pid)?.cookie ?? ""),
    signal: (target, signal) => {
      const targets = [...processes.values()].filter(({ pid, session }) =>
        target < 0 ? session === -target : pid === target
      )
      if (signal === "SIGTERM" || signal === "SIGKILL") for (const process of targets) kill(process, signal)
      return targets.length > 0
    }
  }

  /** What takes a moment, or does not. */
  const pause = (life: Life) =>
    Effect.suspend(() => (random.chance(0.5) ? life.sleep(random.between(0, 30)) : Effect.void))

  return {
    running: () => [...processes.values()],
    table,
    killAll: (which = () => true) => {
      for (const process of processes.values()) if (which(process)) processes.delete(process.pid)
    },
    launch: (life) => ({
      cookie: Effect.sync(() => `cookie${++cookies}`),
      clear: () => pause(life),
      start: (options) =>
        Effect.gen(function* () {
          const { cookie } = options
          yield* pause(life)
          if (programs === undefined && random.chance(0.03))
            return yield* Effect.fail(CouldNotStart({ reason: "exhausted", message: "no room" }))
          const ended = Deferred.unsafeMake<ProcessOutcome>(FiberId.none)
          const { printed = () => "", process: leader } = start(
            {
              cookie,
              startedBy: life.pid,
              onEnd: (outcome) => {
                if (life.isAlive()) Deferred.unsafeDone(ended, Effect.succeed(outcome))
              }
            },
            programs &&
              ((process) =>
                programs(options, {
                  ...process,
                  isAlive: () => processes.has(process.pid),
                  isTreeAlive: () => [...processes.values()].some(({ cookie }) => cookie === process.cookie)
                }))
          )
          yield* pause(life)
          return {
            leader: { pid: leader.pid, startTime: leader.startTime, isChild: true },
            ended,
            output: {
              printed: timeline.now,
              isBehind: () => false,
              finish: () =>
                Effect.sync(() => {
                  const tail = printed()
                  const size = Buffer.byteLength(tail)
                  return { bytes: size, omitted: 0, size, tail, problem: undefined }
                })
            }
          }
        })
    })
  }
}
