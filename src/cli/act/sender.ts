/**
 * Who acts on a job by a command, as it claims.
 */
import { hostname, userInfo } from "node:os"

let through = ""

/** From now on, this process acts for its user at the request of another program. */
export const actThrough = (program: string): void => {
  through = ` through ${program}`
}

/** The user of this process, who may have no name, on this machine. */
export const sender = (): string => {
  try {
    return `${userInfo().username}@${hostname()}${through}`
  } catch {
    return `uid ${process.getuid?.()}@${hostname()}${through}`
  }
}
