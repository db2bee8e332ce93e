/** Detects files that git skipped while it filled an index: git only warns, and exits with 0. */
import { Effect } from "effect"
import { FilesUnreadable } from "./GitError.js"

/**
 * Matches a directory that git cannot open, a `.gitignore` or `.gitattributes` that it cannot read, and any line that is neither
 * a warning nor a hint, such as for a committed file in an unreadable directory. Warnings about line endings or files elsewhere
 * do not count.
 */
const complaint = /^(?:warning: could not open directory|warning: unable to access '(?!\/)|(?!warning: |hint:)\S)/

/** Fails if git skipped anything in a worktree. */
export const refuse = (path: string, said: string): Effect.Effect<void, FilesUnreadable> => {
  const lines = said.split("\n").filter((line) => complaint.test(line))
  return lines.length === 0 ? Effect.void : new FilesUnreadable({ path, detail: [...new Set(lines)].join("\n") })
}
