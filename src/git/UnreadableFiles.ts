/** What git passes over when it fills an index, with a few words and an exit code of 0. */
import { Effect } from "effect"
import { FilesUnreadable } from "./GitError.js"

/**
 * A directory it cannot open, rules it cannot read, and any complaint that is neither a warning nor advice, such as of a
 * committed file below a closed directory. Warnings about line ends are none of these, nor those about files elsewhere.
 */
const complaint = /^(?:warning: could not open directory|warning: unable to access '(?!\/)|(?!warning: |hint:)\S)/

/** Fails when git has passed over anything in a worktree. */
export const refuse = (path: string, said: string): Effect.Effect<void, FilesUnreadable> => {
  const lines = said.split("\n").filter((line) => complaint.test(line))
  return lines.length === 0 ? Effect.void : new FilesUnreadable({ path, detail: [...new Set(lines)].join("\n") })
}
