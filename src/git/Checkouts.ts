/** The checkouts of a repository: the user's own, and the worktrees that Charlotte created. */
import { Effect, Option, Schedule } from "effect"
import { resolve } from "node:path"
import * as fs from "./fs.js"
import { OperationInProgress, WorktreeBroken } from "./GitError.js"
import { type BranchName, fullRef } from "./RefNames.js"
import { inRepository, type Repository } from "./Repository.js"
import * as SharedClone from "./SharedClone.js"

export interface Checkout {
  readonly path: string
  readonly gitDir: string
  /** The full ref name of the branch that is checked out; none if HEAD is detached. */
  readonly ref: Option.Option<string>
}

/** The file that marks the git directory of a worktree as created by Charlotte; it contains the branch. */
export const mark = (gitDir: string): string => `${gitDir}/charlotte`

/** The git directories of the registered worktrees, by path. */
export const linked = (repository: Repository) =>
  Effect.gen(function* () {
    const directory = `${repository.commonDir}/worktrees`
    const found = yield* Effect.forEach(yield* fs.list(directory), (name) =>
      Effect.map(
        fs.readLine(`${directory}/${name}/gitdir`),
        Option.map((file) => [resolve(directory, name, file, ".."), `${directory}/${name}`] as const)
      )
    )
    return new Map(found.flatMap(Option.toArray))
  })

/** All directories in which a process can work on this repository. */
export const directories = (repository: Repository) =>
  Effect.map(linked(repository), (worktrees) => [
    repository.topLevel,
    repository.commonDir,
    ...[...worktrees.keys()].flatMap((path) => [path, SharedClone.at(path)])
  ])

/** Git fails to list the worktrees for a moment while another process removes one of them. */
const listWorktrees = (repository: Repository) =>
  Effect.retry(inRepository(repository, ["worktree", "list", "--porcelain", "-z"]), {
    while: (error) =>
      error._tag === "GitFailed" &&
      error.detail.includes(`${repository.commonDir}/worktrees/`) &&
      error.detail.includes("No such file or directory"),
    schedule: Schedule.spaced("10 millis"),
    times: 50
  })

/** All checkouts, the main one first. */
export const all = (repository: Repository) =>
  Effect.gen(function* () {
    const worktrees = yield* linked(repository)
    const { stdout } = yield* listWorktrees(repository)
    const records = stdout
      .toString()
      .split("\0\0")
      .filter((record) => record !== "")
    return records.map((record, i): Checkout => {
      const lines = record.split("\0")
      const value = (key: string) =>
        Option.fromNullable(lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1))
      const path = Option.getOrElse(value("worktree"), () => "")
      const ref = value("branch")
      if (i > 0) return { path, gitDir: worktrees.get(path) ?? "", ref }
      // Git only guesses the path of the main checkout; it is known if the repository was opened through it.
      const isOpen = repository.gitDir === repository.commonDir
      return { path: isOpen ? repository.topLevel : path, gitDir: repository.commonDir, ref }
    })
  })

/** Fails if the `.git` of the checkout does not lead to its git directory. */
export const verify = (repository: Repository, { gitDir, path }: Checkout) =>
  Effect.gen(function* () {
    const entry = `${path}/.git`
    const line = yield* fs.readLine(entry)
    const target = Option.match(line, {
      onNone: () => entry,
      onSome: (said) => resolve(path, said.replace(/^gitdir: /, ""))
    })
    const real = yield* fs.real(target)
    if (!Option.contains(real, gitDir) || !fs.isWithin(gitDir, repository.commonDir))
      return yield* new WorktreeBroken({ path, reason: `its .git does not lead to ${gitDir || "a git directory"}` })
  })

const signs = {
  "rebase-merge": "rebase",
  "rebase-apply": "rebase",
  MERGE_HEAD: "merge",
  CHERRY_PICK_HEAD: "cherry-pick",
  REVERT_HEAD: "revert",
  BISECT_START: "bisect"
}

/** An unfinished operation in a checkout, such as a merge. */
export const operation = ({ gitDir, path }: Pick<Checkout, "gitDir" | "path">) =>
  Effect.gen(function* () {
    const names = yield* fs.list(gitDir)
    return Option.map(
      Option.fromNullable(Object.entries(signs).find(([sign]) => names.includes(sign))),
      ([, operation]) => new OperationInProgress({ path, operation })
    )
  })

const isRebasing = ({ gitDir }: Checkout, branch: BranchName) =>
  Effect.exists(["rebase-merge", "rebase-apply"], (name) =>
    Effect.map(fs.readLine(`${gitDir}/${name}/head-name`), Option.contains(fullRef(branch)))
  )

/** The checkouts of a branch, including checkouts that return to it when a rebase ends. */
export const of = (repository: Repository, branch: BranchName) =>
  Effect.flatMap(all(repository), (checkouts) =>
    Effect.filter(checkouts, (checkout) =>
      Option.contains(checkout.ref, fullRef(branch)) ? Effect.succeed(true) : isRebasing(checkout, branch)
    )
  )

/** Their paths, to show to the user. */
export const paths = (repository: Repository, branch: BranchName) =>
  Effect.map(of(repository, branch), (checkouts) => checkouts.map(({ path }) => path))
