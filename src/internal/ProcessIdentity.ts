/**
 * Which process this is, in words that still tell it from every other one after it has died and its pid is used again.
 * Whether it lives is asked of the kernel, never judged by elapsed time.
 */
import { Context, Effect } from "effect"
import { readFileSync, readlinkSync } from "node:fs"

export interface ProcessIdentity {
  readonly pid: number
  /** Of the kernel's run; empty where the kernel does not tell. */
  readonly bootId: string
  /** In clock ticks since the boot; empty where the kernel does not tell. */
  readonly startTime: string
  /** Pids are told apart within one namespace only. */
  readonly pidNamespace: string
}

export interface Kernel {
  readonly self: ProcessIdentity
  /** Whether that process may still be alive; one of another pid namespace counts as alive. */
  readonly isAlive: (process: ProcessIdentity) => Effect.Effect<boolean>
}

/** How the kernel is asked; tests that play a crash replace it. */
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

/** Field 22 of `/proc/PID/stat`; the name in field 2 may hold blanks and parentheses itself. */
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
    // Not ours to signal, but there.
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
