/**
 * A mark that every descendant of a process keeps, whatever session it founds and whatever it clears, closes or forbids others
 * to read: a limit to its resident memory, which Linux has not enforced since 2.4.30. Every user can read it in
 * `/proc/PID/limits`, even of a process with `PR_SET_DUMPABLE` 0, such as ssh-agent, whose environment only root sees.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"

/** Limits in KiB: of no effect, as no machine has as much. */
export interface ResourceMark {
  readonly soft: number
  /** Only where there is no hard limit yet: within a job of another manager, that one's mark stays. */
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

/** Whether a process carries it, by what its `/proc/PID/limits` says. */
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
