/**
 * Who acts on a job by a command, as it claims.
 */
import { hostname, userInfo } from "node:os"

/** The user of this process, who may have no name, on this machine. */
export const sender = (): string => {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return `uid ${process.getuid?.()}@${hostname()}`
  }
}
