/**
 * A mark that every descendant of a process keeps, even if it founds a session, clears its environment, closes its streams or hides
 * them from others: a limit on resident memory, which Linux has not enforced since 2.4.30. Every user can read it in
 * `/proc/PID/limits`, even of a process with `PR_SET_DUMPABLE` 0, such as ssh-agent, whose environment only root sees.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"

/** Limits in KiB, without effect, since no machine has that much memory. */
export interface ResourceMark {
  readonly soft: number
  /** Set only if there is no hard limit yet: inside a job of another manager, that manager's mark stays. */
  readonly hard: number
}

const bits = 48

/** All soft marks are lower than all hard ones, or an inner manager could not set one. */
export const of = (cookie: string): ResourceMark => {
  const number = createHash("sha256")
    .update(cookie)
    .digest()
    .readUIntBE(0, bits / 8)
  return { soft: 2 ** (bits + 1) + number, hard: 2 ** (bits + 2) + number }
}

const bytes = (kibibytes: number) => String(BigInt(kibibytes) * 1024n)

/** Whether the contents of `/proc/PID/limits` show the mark. */
export const isIn = (limits: string, { hard, soft }: ResourceMark): boolean => {
  const [, softLimit, hardLimit] = /^Max resident set +(\S+) +(\S+)/m.exec(limits) ?? []
  return softLimit === bytes(soft) || hardLimit === bytes(hard)
}

/** Whether this program has no hard limit, so that its children can be given one. */
export const hasRoom = (): boolean => {
  try {
    return /^Max resident set +\S+ +unlimited /m.test(readFileSync("/proc/self/limits", "utf8"))
  } catch {
    return false
  }
}
