/**
 * The logic of the guard process: the processes that it watches must not outlive their node or its lease.
 */
import * as ProcessTree from "../../process/ProcessTree.js"
import type { ProcessTable } from "../../process/ProcessTable.js"
import type { Message, Numbered } from "./protocol.js"

/** The intervals of checks, in milliseconds. */
const checkInterval = 200
const shortestPause = 1
const longestPause = 1_000
/** A process that survives SIGKILL for this many milliseconds hangs in the kernel, and cannot do anything any more. */
const lingerLimit = 60_000

/** How many empty scans in a row prove that no process is left, even if other processes came and went during each of them. */
const enough = 5

export interface Options {
  readonly table: ProcessTable
  /** Milliseconds without a beat after which the processes are killed. */
  readonly silence: number
  /** The uptime of the last beat so far. */
  readonly freshAt: number
  /** The uptime of the machine in milliseconds: the same clock for the node and its guard, which also counts a suspended machine. */
  readonly uptime: () => number
  readonly schedule: (run: () => void, millis: number) => { readonly cancel: () => void }
  readonly answer: (number: number) => void
  /** Called when nothing is left to guard and the node is gone. */
  readonly exit: () => void
}

export interface Watchdog {
  readonly receive: (message: Numbered) => void
  /** Called when the node is gone, or has released its guard. */
  readonly end: () => void
}

export const make = ({ answer, exit, freshAt, schedule, silence, table, uptime }: Options): Watchdog => {
  const watched = new Map<string, ProcessTree.Leader | undefined>()
  /** Numbers of the watches to acknowledge once the node has its lease again: without an acknowledgement it starts no process. */
  let unanswered: Array<number> = []
  let deadline = freshAt + silence
  let endedAt: number | undefined
  let tree: ProcessTree.ProcessTree | undefined
  let empty = 0
  let pause = shortestPause
  let hasLeft = false

  const isSilent = () => uptime() > deadline

  /** Kills all watched processes; returns whether none is left. */
  const clear = (): boolean => {
    if (watched.size === 0) return true
    tree ??= ProcessTree.ofAll(
      table,
      [...watched].map(([cookie, leader]) => ({ cookie, leader, cgroup: table.cgroups?.find(cookie) }))
    )
    const { found, isComplete, isPopulated } = tree.sweep("SIGKILL")
    empty = found.length === 0 && !isPopulated ? empty + 1 : 0
    return empty >= enough || (empty > 0 && isComplete)
  }

  const leave = () => {
    for (const cookie of watched.keys()) table.cgroups?.find(cookie)?.remove()
    hasLeft = true
    exit()
  }

  const check = (): number => {
    if (endedAt === undefined && !isSilent()) {
      tree = undefined
      pause = shortestPause
      return checkInterval
    }
    const isClear = clear()
    if (endedAt !== undefined && (isClear || uptime() - endedAt > lingerLimit)) leave()
    // A suspended node may still start what it was about to start, so it is watched until it is gone or has its lease again.
    pause = Math.min(pause * 2, longestPause)
    return watched.size === 0 ? checkInterval : pause
  }

  let next = schedule(() => {}, 0)
  const run = () => {
    const millis = check()
    if (!hasLeft) next = schedule(run, millis)
  }
  const runSoon = () => {
    pause = shortestPause
    next.cancel()
    if (!hasLeft) next = schedule(run, 0)
  }

  const apply = (message: Message): void => {
    switch (message.type) {
      case "beat":
        deadline = Math.max(deadline, Math.min(message.uptime, uptime()) + silence)
        return
      case "watch":
        watched.set(message.cookie, undefined)
        return
      case "spawned":
        watched.set(message.cookie, { pid: message.pid, startTime: message.startTime, isChild: false })
        return
      case "release":
        watched.delete(message.cookie)
    }
  }

  run()
  return {
    receive: ({ message, number }) => {
      apply(message)
      tree = undefined
      empty = 0
      if (message.type === "watch") unanswered.push(number)
      else answer(number)
      if (isSilent()) return runSoon()
      unanswered.forEach(answer)
      unanswered = []
    },
    end: () => {
      endedAt ??= uptime()
      runSoon()
    }
  }
}
