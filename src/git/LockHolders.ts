/**
 * Finds processes that may hold a lock file of git. The file does not name them: a process that has it open holds it, and so may any
 * git process in a checkout that the lock protects (while `git commit` waits for an editor, no process has the file open).
 */
import type { Stats } from "node:fs"
import { readdir, readFile, readlink, stat } from "node:fs/promises"
import { isWithin } from "./fs.js"

export interface LockHolder {
  readonly pid: number
  readonly command: string
}

const code = (cause: unknown): unknown => (cause instanceof Error && "code" in cause ? cause.code : undefined)

const hasOpen = async (pid: string, name: string, lock: Stats): Promise<boolean> => {
  // Another user's descriptors are unreadable; then the command decides.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
  for (const descriptor of descriptors) {
    const path = `/proc/${pid}/fd/${descriptor}`
    if (!(await readlink(path).catch(() => "")).endsWith(`/${name}`)) continue
    const open = await stat(path).catch(() => undefined)
    if (open?.dev === lock.dev && open.ino === lock.ino) return true
  }
  return false
}

/** Empty once the process has released its memory, the first step of its exit. */
const argumentsOf = async (pid: string): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`).catch(() => Buffer.of())).toString()

/** Whether a git process may hold a lock that it does not have open. */
export const worksIn = async (
  pid: string,
  command: string,
  places: ReadonlyArray<string>,
  lock: Pick<Stats, "uid">
): Promise<boolean> => {
  if (!/^git\b/.test(command)) return false
  const words = await argumentsOf(pid)
  // The fsmonitor daemon runs as long as the machine, and holds no locks.
  if (words.includes("fsmonitor--daemon")) return false
  try {
    const cwd = await readlink(`/proc/${pid}/cwd`)
    const variables = (await readFile(`/proc/${pid}/environ`)).toString()
    return places.some((place) => isWithin(cwd, place) || words.includes(place) || variables.includes(place))
  } catch (cause) {
    // An exited process works nowhere. A process that may not be inspected could work anywhere, but only a process of the lock's
    // owner can have created the lock: other users' git processes are no reason to wait.
    if (code(cause) !== "EACCES" && code(cause) !== "EPERM") return false
    // While a process ends, the kernel gives its environment to root.
    if ((await argumentsOf(pid)) === "") return false
    return (await stat(`/proc/${pid}`).catch(() => undefined))?.uid === lock.uid
  }
}

/**
 * The processes that may hold the lock; undefined if there is no `/proc`.
 *
 * @param places the checkouts and git directories that the lock guards
 */
export const holdersOf = async (
  file: string,
  lock: Stats,
  places: ReadonlyArray<string>
): Promise<ReadonlyArray<LockHolder> | undefined> => {
  const names = await readdir("/proc").catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name))
  if (pids.length === 0) return undefined
  const found = await Promise.all(
    pids.map(async (pid): Promise<ReadonlyArray<LockHolder>> => {
      const command = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim()
      const holds =
        (await hasOpen(pid, file.slice(file.lastIndexOf("/") + 1), lock)) || (await worksIn(pid, command, places, lock))
      return holds ? [{ pid: Number(pid), command }] : []
    })
  )
  return found.flat()
}
