/** Commands for people, to be pasted into a shell. They are shown, and never run. */
import type { BranchName, ObjectId } from "./RefNames.js"

/** What would act on the terminal that shows it. */
const control = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u

const escape = (character: string): string =>
  control.test(character)
    ? [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
    : character.replace(/['\\]/, "\\$&")

const word = (text: string): string => {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return control.test(text) ? `$'${[...text].map(escape).join("")}'` : `'${text.replaceAll("'", "'\\''")}'`
}

/** A command of these words, each quoted where it has to be. */
export const command = (...words: ReadonlyArray<string>): string => words.map(word).join(" ")

/** The command that shows what one has and the other has not. */
export const diffCommand = (topLevel: string, from: BranchName | ObjectId, to: BranchName | ObjectId): string =>
  command("git", "-C", topLevel, "diff", `${from}...${to}`)

/** The command that merges a branch into what is checked out; or refuses to, where that needs a merge commit. */
export const mergeCommand = (
  topLevel: string,
  branch: BranchName,
  options?: { readonly fastForwardOnly?: boolean }
): string =>
  command("git", "-C", topLevel, "merge", ...(options?.fastForwardOnly === true ? ["--ff-only"] : []), branch)

/** The command that commits these files, and nothing else that may be staged. */
export const addAndCommitCommand = (topLevel: string, files: ReadonlyArray<string>): string => {
  // A name can look like a pattern.
  const literally = files.some((file) => /^:|[*?[\\]/.test(file)) ? ["--literal-pathspecs"] : []
  const git = ["git", "-C", topLevel, ...literally]
  return `${command(...git, "add", "--", ...files)} && ${command(...git, "commit", "--", ...files)}`
}
