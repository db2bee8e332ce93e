/**
 * The processes of this machine, as the kernel lists them. Everything here is read synchronously: information about a process is
 * reliable only right before it is signalled.
 */
import { Context, Option } from "effect"
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import * as Cgroup from "./Cgroup.js"
import * as ResourceMark from "./ResourceMark.js"

export interface ProcessTable {
  readonly pids: () => ReadonlyArray<number>
  /** Missing if the kernel has no cgroup v2. */
  readonly cgroups?: Cgroup.Cgroups | undefined
  readonly get: (pid: number) => Entry | undefined
  /**
   * Whether the process carries one of the cookies: in its environment; in the name of the pipe or file on its standard streams,
   * which stays if it clears its environment; or in its resource limits, which others can read even if it hides the rest. Undefined
   * if that cannot be read right now.
   */
  readonly isMarked: (entry: Entry, cookies: ReadonlyArray<string>) => boolean | undefined
  /** Signals a process, or with its negative number a group; returns whether there was any process to signal. */
  readonly signal: (target: number, signal: NodeJS.Signals | 0) => boolean
}

export interface Entry {
  readonly pid: number
  /** The name of its program, truncated by the kernel. */
  readonly name: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** In clock ticks since boot; with the pid it identifies a process. */
  readonly startTime: number
  /** A zombie: it has ended, but its parent has not waited for it yet. Its pid and session id are still reserved. */
  readonly isDead: boolean
  /** Stopped by a signal such as SIGSTOP, or by a debugger. */
  readonly isStopped: boolean
  /** On a processor, waiting for one, or blocked in input or output. */
  readonly isRunning: boolean
  /** Whether its environment is empty; false for a process that is about to execute another program, or to exit. */
  readonly isBare: boolean
  /** Whether it is a kernel thread. */
  readonly isKernel: boolean
}

/** None without `/proc`; tests that simulate such a system replace it. */
export class ProcessTableRef extends Context.Reference<ProcessTableRef>()("charlotte/ProcessTable", {
  defaultValue: (): Option.Option<ProcessTable> =>
    existsSync("/proc/self/stat") ? Option.some({ ...proc, cgroups: Cgroup.detect() }) : Option.none()
}) {}

/** A process may end between two reads. */
const orElse = <A>(f: () => A, otherwise: A): A => {
  try {
    return f()
  } catch {
    return otherwise
  }
}

/** `PF_KTHREAD`, a flag of a process. */
const kernelThread = 0x00200000

/** The fields of `/proc/PID/stat` from the third on; the name before them may hold blanks and parentheses itself. */
const parse = (pid: number, stat: string): Entry | undefined => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const field = (number: number) => Number(fields[number - 3])
  const state = fields[0]
  if (fields.length < 49) return undefined
  return {
    pid,
    name: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")),
    parent: field(4),
    group: field(5),
    session: field(6),
    startTime: field(22),
    // A zombie whose other threads still run is alive.
    isDead: state === "X" || (state === "Z" && field(20) <= 1),
    isStopped: state === "T" || state === "t",
    isRunning: state === "R" || state === "D",
    isBare: field(51) !== 0 && field(51) === field(50),
    isKernel: (field(9) & kernelThread) !== 0
  }
}

/** Processes of other users are unreadable, and so are some of our own, such as ssh-agent. */
const isForbidden = (cause: unknown) =>
  cause instanceof Error && "code" in cause && (cause.code === "EACCES" || cause.code === "EPERM")

/** Signals that need no table. */
export const signal: ProcessTable["signal"] = (target, signal) => {
  try {
    return process.kill(target, signal)
  } catch {
    // The process has ended, or may not be signalled, such as the zombies of a group on macOS.
    return false
  }
}

const read = (pid: number): Entry | undefined =>
  parse(
    pid,
    orElse(() => readFileSync(`/proc/${pid}/stat`, "utf8"), "")
  )

/** The inode of a process's directory; the next process with its pid has another. */
const inodeOf = (pid: number): number | undefined =>
  orElse(() => lstatSync(`/proc/${pid}`, { throwIfNoEntry: false })?.ino, undefined)

/**
 * The kernel threads seen so far, which do not change while they exist. They make up most of the table, and checking that a thread
 * still exists takes a quarter of the time of reading it.
 */
const kernelThreads = new Map<number, { readonly inode: number; readonly entry: Entry }>()

/** Bounds the cache, which does not notice when entries disappear. */
const maxKernelThreads = 10_000

const get = (pid: number): Entry | undefined => {
  const known = kernelThreads.get(pid)
  if (known !== undefined && inodeOf(pid) === known.inode) return known.entry
  const entry = read(pid)
  if (entry?.isKernel !== true) return entry
  const inode = inodeOf(pid)
  // The process was the same before and after, so it has this inode.
  if (inode !== undefined && read(pid)?.startTime === entry.startTime) {
    if (kernelThreads.size >= maxKernelThreads) kernelThreads.clear()
    kernelThreads.set(pid, { inode, entry })
  }
  return entry
}

/** Whether the process has the mark and may be signalled; a process that now belongs to another user may not. */
const hasMark = (pid: number, cookies: ReadonlyArray<string>): boolean => {
  const limits = orElse(() => readFileSync(`/proc/${pid}/limits`, "utf8"), "")
  return cookies.some((cookie) => ResourceMark.isIn(limits, ResourceMark.of(cookie))) && signal(pid, 0)
}

export const proc: ProcessTable = {
  signal,
  pids: () =>
    orElse(() => readdirSync("/proc"), [])
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  get,
  isMarked: ({ isBare, isKernel, pid }, cookies) => {
    if (isKernel) return false
    const hasCookie = (text: string) => cookies.some((cookie) => text.includes(cookie))
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8")
      if (hasCookie(environment)) return true
      if ([0, 1, 2].some((fd) => hasCookie(orElse(() => readlinkSync(`/proc/${pid}/fd/${fd}`), "")))) return true
      if (hasMark(pid, cookies)) return true
      return environment === "" && !isBare ? undefined : false
    } catch (cause) {
      return isForbidden(cause) ? hasMark(pid, cookies) : undefined
    }
  }
}
