/**
 * What happened, line by line, with a digest of all of it: two runs of one seed have the same.
 */
import { createHash } from "node:crypto"

export interface Trace {
  readonly say: (line: string) => void
  /** The last lines, or all. */
  readonly lines: () => ReadonlyArray<string>
  readonly digest: () => string
}

export const make = (options: { readonly now: () => number; readonly keep: number }): Trace => {
  const hash = createHash("sha256")
  let lines: Array<string> = []
  return {
    say: (text) => {
      const line = `${options.now()} ${text}`
      hash.update(line).update("\n")
      lines.push(line)
      if (lines.length > 2 * options.keep) lines = lines.slice(-options.keep)
    },
    lines: () => lines.slice(-options.keep),
    digest: () => hash.copy().digest("hex").slice(0, 16)
  }
}
