import type { Entry, ProcessTable } from "./ProcessTable.js"
import type { Leader } from "./ProcessTree.js"

/**
 * Whether a child process cannot run: it is stopped, or it sleeps and none of its children can run, like a script that waits for a
 * stopped agent.
 */
export const isStopped = (table: ProcessTable, { pid }: Leader): boolean => {
  const child = table.get(pid)
  if (child === undefined || child.isDead || child.isRunning) return false
  if (child.isStopped) return true
  const alive = table.pids().flatMap((pid) => {
    const entry = table.get(pid)
    return entry !== undefined && entry.session === child.session && !entry.isDead ? [entry] : []
  })
  const waits = (entry: Entry): boolean => {
    if (entry.isStopped || entry.isRunning) return entry.isStopped
    const children = alive.filter(({ parent }) => parent === entry.pid)
    return children.length > 0 && children.every(waits)
  }
  return waits(child)
}
