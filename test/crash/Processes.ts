/**
 * The processes that a daemon has started, as the kernel tells of them, whether the daemon lives or not.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { cookieName } from "../../src/process/ChildEnvironment.js"
import { startTime } from "../../src/internal/ProcessIdentity.js"
import type { World } from "./World.js"

export interface Process {
  readonly pid: number
  readonly startTime: string
  /** An agent, with all that it has started; a setup or a gate; or a command of git's. */
  readonly what: "agent" | "step" | "git"
  readonly cwd: string
}

const read = (f: () => string): string => {
  try {
    return f()
  } catch {
    return ""
  }
}

const what = (environment: string): Process["what"] => {
  if (!environment.includes(`\0${cookieName}=`)) return "git"
  return environment.includes("\0AGENT=1\0") ? "agent" : "step"
}

/** All that live, but for the daemon itself. */
export const all = ({ root }: World, daemon?: number): ReadonlyArray<Process> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== daemon)
    .flatMap((name): ReadonlyArray<Process> => {
      const environment = `\0${read(() => readFileSync(`/proc/${name}/environ`, "latin1"))}\0`
      const cwd = read(() => readlinkSync(`/proc/${name}/cwd`))
      // Of a process that is just about to become git the kernel tells where it is, and nothing of its environment.
      const isOurs = environment.includes(`\0HOME=${root}/home\0`) || (environment === "\0\0" && cwd.startsWith(root))
      const pid = Number(name)
      const started = startTime(pid)
      return isOurs && started !== "" ? [{ pid, startTime: started, what: what(environment), cwd }] : []
    })

export const isAlive = (process: Process): boolean => startTime(process.pid) === process.startTime
