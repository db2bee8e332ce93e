/** Commands for people, to be pasted into a shell. They are shown, and never run. */
import type { BranchName, ObjectId } from "./Names.js"

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** The command that shows what one has and the other has not. */
export const diffCommand = (topLevel: string, from: BranchName | ObjectId, to: BranchName | ObjectId): string =>
  ["git", "-C", topLevel, "diff", `${from}...${to}`].map(word).join(" ")
