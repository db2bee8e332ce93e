/**
 * The identity of a process, which stays unique after the process has died and its pid is reused. Whether it is alive is
 * determined from the kernel, never from elapsed time.
 */
import { Context, Effect } from "effect"
import { readFileSync, readlinkSync } from "node:fs"

export interface ProcessIdentity {
  readonly pid: number
  /** The boot id of the kernel; empty if there is none. */
  readonly bootId: string
  /** The start time in clock ticks since boot; empty if unknown. */
  readonly startTime: string
  /** The pid namespace: pids are unique only within one. */
  readonly pidNamespace: string
}

export interface Kernel {
  readonly self: ProcessIdentity
  /** Whether that process may still be alive; a process in another pid namespace is assumed to be. */
  readonly isAlive: (process: ProcessIdentity) => Effect.Effect<boolean>
}

/** Access to the kernel's process information; crash tests replace it. */
export class KernelRef extends Context.Reference<KernelRef>()("charlotte/Kernel", {
  defaultValue: (): Kernel => proc
}) {}

const read = (f: () => string): string => {
  try {
    return f().trim()
  } catch {
    return ""
  }
}

const bootId = () => read(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"))

/** Field 22 of `/proc/PID/stat`; the name in field 2 may contain spaces and parentheses. */
export const startTime = (pid: number): string => {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, "utf8"))
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return fields[0] === "Z" || fields[0] === "X" ? "" : (fields[19] ?? "")
}

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // The process exists, but this user may not signal it.
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

const proc: Kernel = {
  self: {
    pid: process.pid,
    bootId: bootId(),
    startTime: startTime(process.pid),
    pidNamespace: read(() => readlinkSync("/proc/self/ns/pid"))
  },
  isAlive: (other) =>
    Effect.sync(() => {
      if (other.bootId !== proc.self.bootId) return false
      if (other.pidNamespace !== proc.self.pidNamespace) return true
      return other.startTime === "" ? exists(other.pid) : startTime(other.pid) === other.startTime
    })
}
