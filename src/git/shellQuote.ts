/** Commands for the user to paste into a shell; Charlotte never runs them. */
import type { BranchName, ObjectId } from "./RefNames.js"

/** Characters that could act on the terminal that shows them. */
const control = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u

const escape = (character: string): string =>
  control.test(character)
    ? [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
    : character.replace(/['\\]/, "\\$&")

const word = (text: string): string => {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return control.test(text) ? `$'${[...text].map(escape).join("")}'` : `'${text.replaceAll("'", "'\\''")}'`
}

/** A command of these words, quoted where necessary. */
export const command = (...words: ReadonlyArray<string>): string => words.map(word).join(" ")

/** The command that shows the changes from one commit to the other. */
export const diffCommand = (topLevel: string, from: BranchName | ObjectId, to: BranchName | ObjectId): string =>
  command("git", "-C", topLevel, "diff", `${from}...${to}`)

/** The command that merges a branch into what is checked out; with `fastForwardOnly`, it refuses to create a merge commit. */
export const mergeCommand = (
  topLevel: string,
  branch: BranchName,
  options?: { readonly fastForwardOnly?: boolean }
): string =>
  command("git", "-C", topLevel, "merge", ...(options?.fastForwardOnly === true ? ["--ff-only"] : []), branch)

/** The command that commits these files, and nothing else that is staged. */
export const addAndCommitCommand = (topLevel: string, files: ReadonlyArray<string>): string => {
  // A name can look like a pattern.
  const literally = files.some((file) => /^:|[*?[\\]/.test(file)) ? ["--literal-pathspecs"] : []
  const git = ["git", "-C", topLevel, ...literally]
  return `${command(...git, "add", "--", ...files)} && ${command(...git, "commit", "--", ...files)}`
}
