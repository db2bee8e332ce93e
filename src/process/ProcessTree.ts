/**
 * A child process with all of its descendants, as far as they can be found.
 *
 * With `/proc`, a process belongs to the tree if it carries the cookie, if its session contains a process of the tree, or if it is
 * in the tree's control group. (A session can be founded or inherited, never joined. The child has founded one, and its process
 * group lies within.) Without a control group, a process escapes if it has done all four: left the session, cleared or overwritten
 * its environment, closed or redirected all three standard streams, and changed its limit on resident memory. A process that has
 * become another user's escapes too.
 *
 * Without `/proc`, the tree is the child's process group and nothing else.
 */
import { Option } from "effect"
import type { Cgroup } from "./Cgroup.js"
import { type Entry, type ProcessTable, signal as send } from "./ProcessTable.js"

export interface ProcessTree {
  /** Scans for all processes of the tree, signals each at once, and returns those found. */
  readonly sweep: (...signals: ReadonlyArray<NodeJS.Signals>) => ProcessSnapshot
  /** As `sweep` without signals; cheap as long as a process found before is alive. */
  readonly scan: () => ProcessSnapshot
  /** The killed processes. */
  readonly killed: () => ReadonlyArray<Entry>
}

export interface ProcessSnapshot {
  readonly found: ReadonlyArray<Entry>
  /** Whether no process can have been missed. A scan takes time, and processes come and go meanwhile. */
  readonly isComplete: boolean
  /** Whether the kernel reports a live process in the control group, found or not. */
  readonly isPopulated: boolean
}

export interface Leader {
  readonly pid: number
  /** In clock ticks, from the kernel; missing if unknown. */
  readonly startTime: number | undefined
  /** Whether it is a child of this program, so that its pid is not reused until this program has seen it end. */
  readonly isChild: boolean
}

/** Identifies the processes of a tree. */
export interface Root {
  readonly cookie: string
  /** Missing if it was not recorded. */
  readonly leader: Leader | undefined
  /** Missing if it has no control group. */
  readonly cgroup?: Cgroup | undefined
}

export const make = ({ table, ...root }: Root & { readonly table: Option.Option<ProcessTable> }): ProcessTree =>
  ofScan(
    table,
    Option.match(table, { onNone: () => ofGroup(root.leader), onSome: (table) => ofSessions(table, [root]) })
  )

/** Several trees as one, whose processes are found in one scan of the table. */
export const ofAll = (table: ProcessTable, roots: ReadonlyArray<Root>): ProcessTree =>
  ofScan(Option.some(table), ofSessions(table, roots))

const ofScan = (table: Option.Option<ProcessTable>, scan: Scan): ProcessTree => {
  let known: ReadonlyArray<Entry> = []
  const killed = new Map<string, Entry>()
  const sweep: ProcessTree["sweep"] = (...signals) => {
    const snapshot = scan(signals)
    known = snapshot.found
    if (signals.includes("SIGKILL")) for (const entry of known) killed.set(nameOf(entry), entry)
    return snapshot
  }
  return {
    sweep,
    scan: () =>
      Option.isSome(table) && known.some((entry) => isStillThere(table.value, entry))
        ? { found: known, isComplete: false, isPopulated: true }
        : sweep(),
    killed: () => [...killed.values()]
  }
}

/** Identifies a process until the machine restarts. */
const nameOf = ({ pid, startTime }: Entry) => `${pid} ${startTime}`

type Scan = (signals: ReadonlyArray<NodeJS.Signals>) => ProcessSnapshot

const isStillThere = (table: ProcessTable, { pid, session, startTime }: Entry): boolean => {
  const now = table.get(pid)
  return now !== undefined && !now.isDead && now.startTime === startTime && now.session === session
}

const ofSessions = (table: ProcessTable, roots: ReadonlyArray<Root>): Scan => {
  const self = table.get(process.pid)
  const cookies = roots.map(({ cookie }) => cookie)
  const cgroups = roots.flatMap(({ cgroup }) => cgroup ?? [])
  const leaders = roots.flatMap(({ leader }) => leader ?? [])
  // No process of the tree is older than the first leader; 0 if a start time is unknown.
  const begun = Math.min(...roots.map(({ leader }) => leader?.startTime ?? 0))
  // Sessions that belong to the tree. A session is trusted until a scan finds it empty, since its id is not reused before. A
  // child's session is trusted from the start if the child exists, or did a moment ago.
  let sessions = new Set(
    leaders
      .filter(({ isChild, pid, startTime }) => isChild || table.get(pid)?.startTime === startTime)
      .map(({ pid }) => pid)
  )

  // A process that is a zombie when it is first seen may have left a child that started too late for that scan.
  const dead = new Set<string>()

  return (signals) => {
    for (const { pid, startTime } of leaders) {
      const now = table.get(pid)
      if (now !== undefined && now.startTime !== startTime) sessions.delete(pid)
    }
    const found: Array<Entry> = []
    const others: Array<Entry> = []
    const alive = new Set<number>()
    const signalled = new Set<number>()
    let isComplete = true
    const members = new Set(cgroups.flatMap((cgroup) => cgroup.pids()))

    const take = (entry: Entry) => {
      found.push(entry)
      alive.add(entry.session)
      // Signalling the whole group at once leaves it no time to fork.
      const target = entry.group > 1 ? -entry.group : entry.pid
      if (signalled.has(target)) return
      signalled.add(target)
      for (const signal of signals) table.signal(target, signal)
    }

    const examine = (entry: Entry) => {
      // This program is never part of the tree, even if a process of the tree started it.
      if (entry.session === self?.session || entry.pid === process.pid) return
      if (entry.startTime < begun) return
      if (entry.isDead) {
        const name = nameOf(entry)
        if (!dead.has(name)) isComplete = false
        dead.add(name)
        return
      }
      // Signal during the scan: after it, a process that keeps forking is gone.
      const isMarked = sessions.has(entry.session) || members.has(entry.pid) || table.isMarked(entry, cookies)
      if (isMarked === true) return take(entry)
      if (isMarked === undefined) isComplete = false
      others.push(entry)
    }

    // Youngest first: they may be short-lived.
    for (const pid of [...table.pids()].sort((a, b) => b - a)) {
      const entry = table.get(pid)
      if (entry === undefined) isComplete = false
      else examine(entry)
    }
    for (const entry of others) {
      if (!alive.has(entry.session)) continue
      if (isStillThere(table, entry)) take(entry)
      else isComplete = false
    }
    sessions = isComplete ? alive : new Set([...sessions, ...alive])
    // Kill the groups last, so that `found` contains their processes.
    if (signals.includes("SIGKILL")) for (const cgroup of cgroups) cgroup.kill()
    return { found, isComplete, isPopulated: cgroups.some((cgroup) => cgroup.isPopulated()) }
  }
}

const ofGroup = (leader: Leader | undefined): Scan => {
  // The pid of a process that is not our child may have been reused.
  let isThere = leader?.isChild === true
  return (signals) => {
    if (leader === undefined || !isThere) return { found: [], isComplete: true, isPopulated: false }
    const results = [...signals, 0 as const].map((signal) => send(-leader.pid, signal))
    // Once the group is empty, its id may be reused.
    isThere = results.every(Boolean)
    const { pid } = leader
    const no = { isDead: false, isStopped: false, isRunning: false, isBare: false, isKernel: false }
    const entry = { pid, name: "", parent: process.pid, group: pid, session: pid, startTime: 0, ...no }
    return { found: isThere ? [entry] : [], isComplete: true, isPopulated: false }
  }
}
