/**
 * A child process with all that descends from it, as far as it can be told.
 *
 * With `/proc`, these belong to it: whoever carries its cookie, and whoever is in the session of one that belongs to it. (A
 * session can be founded or inherited, never joined. The child founded one of its own, and its process group lies within.)
 * What escapes: a process that has left the session, and cleared or overwritten its environment, and closed or redirected
 * all three of its standard streams. After a crash of the manager, also one that has stayed in the session but carries no
 * cookie any more, if the child and every other carrier in that session have died.
 *
 * Without `/proc` it is the child's process group and nothing else.
 */
import { Option } from "effect"
import type { Entry, ProcessTable } from "./ProcessTable.js"

export interface ProcessTree {
  /** Looks for all that is there, sends these signals to each at once, and tells whom it found. */
  readonly sweep: (...signals: ReadonlyArray<NodeJS.Signals>) => ReadonlyArray<number>
  /** Whether anything is there; cheap as long as one of those found before is. */
  readonly isEmpty: () => boolean
  /** Whether something had to be killed. */
  readonly wasForced: () => boolean
}

export interface Leader {
  readonly pid: number
  /** As the kernel tells it; missing where it does not. */
  readonly startTime: number | undefined
  /** Whether it is a child of this program, so that its number is its own until this program has seen it end. */
  readonly isChild: boolean
}

export const make = (options: {
  readonly table: Option.Option<ProcessTable>
  readonly cookie: string
  /** Missing when nobody has noted it. */
  readonly leader: Leader | undefined
}): ProcessTree => {
  const { cookie, leader, table } = options
  const look = Option.match(table, {
    onNone: () => ofGroup(leader),
    onSome: (table) => ofSessions(table, cookie, leader)
  })
  let known: ReadonlyArray<Entry> = []
  let forced = false
  const sweep: ProcessTree["sweep"] = (...signals) => {
    known = look(signals)
    if (known.length > 0 && signals.includes("SIGKILL")) forced = true
    return known.map(({ pid }) => pid)
  }
  return {
    sweep,
    isEmpty: () =>
      !(Option.isSome(table) && known.some((entry) => isStillThere(table.value, entry))) && sweep().length === 0,
    wasForced: () => forced
  }
}

type Look = (signals: ReadonlyArray<NodeJS.Signals>) => ReadonlyArray<Entry>

const isStillThere = (table: ProcessTable, { pid, session, startTime }: Entry): boolean => {
  const now = table.get(pid)
  return now !== undefined && !now.isDead && now.startTime === startTime && now.session === session
}

const ofSessions = (table: ProcessTable, cookie: string, leader: Leader | undefined): Look => {
  const self = table.get(process.pid)
  // Sessions that belong to the tree. One is trusted from look to look while somebody is left in it: its number is not
  // given away before. The child's own is trusted from the start if the child is there, or was a moment ago.
  let sessions = new Set<number>()
  if (leader !== undefined && (leader.isChild || table.get(leader.pid)?.startTime === leader.startTime)) {
    sessions.add(leader.pid)
  }

  return (signals) => {
    if (leader !== undefined) {
      const now = table.get(leader.pid)
      if (now !== undefined && now.startTime !== leader.startTime) sessions.delete(leader.pid)
    }
    const found: Array<Entry> = []
    const others: Array<Entry> = []
    const alive = new Set<number>()
    const signalled = new Set<number>()

    const take = (entry: Entry) => {
      found.push(entry)
      alive.add(entry.session)
      // A whole group at once leaves it no moment in which to fork.
      const target = entry.group > 1 ? -entry.group : entry.pid
      if (signalled.has(target)) return
      signalled.add(target)
      for (const signal of signals) send(target, signal)
    }

    for (const pid of table.pids()) {
      const entry = table.get(pid)
      // This program is never part of it, not even if it was started by what it now clears away.
      if (entry === undefined || entry.isDead || entry.session === self?.session || pid === process.pid) continue
      if (leader?.startTime !== undefined && entry.startTime < leader.startTime) continue
      // Signalled now and not after the look: what forks all the time is gone by then.
      if (sessions.has(entry.session) || table.isMarked(pid, cookie)) take(entry)
      else others.push(entry)
    }
    for (const entry of others) if (alive.has(entry.session) && isStillThere(table, entry)) take(entry)
    sessions = alive
    return found
  }
}

const ofGroup = (leader: Leader | undefined): Look => {
  // Whose child it is not may be anybody by now.
  let isThere = leader?.isChild === true
  return (signals) => {
    if (leader === undefined || !isThere) return []
    const results = [...signals, 0 as const].map((signal) => send(-leader.pid, signal))
    // Once empty, the number of the group may go to somebody else.
    isThere = results.every(Boolean)
    return isThere ? [{ pid: leader.pid, group: leader.pid, session: leader.pid, startTime: 0, isDead: false }] : []
  }
}

const send = (target: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(target, signal)
  } catch {
    // It has ended, or is none of ours to signal, as the zombies of a group are on macOS.
    return false
  }
}
