/**
 * The points at which the daemon can be killed, by names that are the same in each run.
 */

import type { Wish } from "./Driver.js"

export type Side = "before" | "after"

/** Without what differs from run to run: paths, branches of a job, and of which task or unit it is. */
export const name = (text: string): string =>
  text
    .replace(/ (of|on |\/).*$/, "")
    .replace(/ (charlotte\/)?[0-9A-Z]{26}.*$/, "")
    .trim()

/** What is committed: as many writes as have queued up are one commit. */
const commits = [
  "append events",
  "begin a job",
  "claim ownership",
  "record a process",
  "record job.cancelled",
  "record job.completed",
  "record job.failed",
  "record job.interrupted",
  "record job.stopping",
  "record units and tasks",
  "release ownership",
  "start a job"
].map((write) => `commit ${write}`)

const spawns = ["agent", "baseline", "gate", "setup"].map((purpose) => `spawn ${purpose}`)

/** Commands of git's, and what is done to its files beside it. */
const steps = [
  "git checkout-index",
  "git commit-tree",
  "git hash-object",
  "git merge",
  "git merge-tree",
  "git read-tree",
  "git status",
  "git update-index",
  "git update-ref",
  "git worktree",
  "git write-tree",
  "git, lock the index",
  "git, make",
  "git, make a git directory",
  "git, mark",
  "git, move",
  "git, note",
  "git, prepare",
  "git, put refs back",
  "git, put the index in place",
  "git, read the time at",
  "git, remember the index",
  "git, remove",
  "git, remove a git directory",
  "git, remove a note",
  "git, tidy up",
  "git, unlock the index",
  "git, write files",
  "git, write the index"
]

/** Steps that only look, and those that no agent here makes necessary. */
const looks = new Set([
  ...["copy objects", "read rules", "unlock"].map((step) => `git, ${step}`),
  // Snapshots of unfinished work.
  ...[
    "borrow objects",
    "make a directory",
    "remove a directory",
    "remove the files that the snapshot does not have"
  ].map((step) => `git, ${step}`),
  "git, write",
  ...["diff-files", "fast-import", "index-pack", "pack-objects"].map((command) => `git ${command}`),
  ...["list", "look at", "look for who holds", "read", "read the refs", "resolve", "see whether"].map(
    (step) => `git, ${step}`
  ),
  ...[
    "cat-file",
    "check-attr",
    "config",
    "diff-index",
    "diff-tree",
    "for-each-ref",
    "ls-files",
    "ls-tree",
    "merge-base"
  ].map((command) => `git ${command}`),
  // Runs are indexed when there is nothing else to do, which is seldom here: the campaign of the application hits it.
  "commit index runs",
  ...["rev-list", "rev-parse", "symbolic-ref", "var", "version"].map((command) => `git ${command}`)
])

export const isLook = (point: string): boolean => looks.has(point.replace(/^(before|after) /, ""))

export const all: ReadonlyArray<string> = [...commits, ...spawns, ...steps].flatMap((name) => [
  `before ${name}`,
  `after ${name}`
])

/** Those that are passed before any agent is at work. */
const early = ["commit claim ownership", "commit record job.interrupted", "commit begin a job"]

export const isEarly = (point: string): boolean => early.some((name) => point.endsWith(name))

/** One that is passed when the daemon ends by itself. */
export const isLate = (point: string): boolean => point.endsWith("commit release ownership")

/** What has to be done for it to be passed. */
export const wish = (point: string): Wish => {
  if (point.endsWith("git merge")) return "linked"
  if (point.endsWith("job.failed")) return "failing"
  return /job\.(cancelled|stopping)$/.test(point) ? "stop" : "merging"
}
