/** The files of a worktree at a moment, and putting them back after a command whose changes do not count. */
import { Effect } from "effect"
import * as Commits from "./Commits.js"
import * as Files from "./Files.js"
import * as fs from "./fs.js"
import { ObjectId } from "./RefNames.js"
import * as Refs from "./Refs.js"
import type { Repository } from "./Repository.js"
import * as SharedClone from "./SharedClone.js"
import * as WorkingFiles from "./WorkingFiles.js"
import * as Worktrees from "./Worktrees.js"

export interface KeptFiles {
  readonly commit: ObjectId
  /** All files but ignored ones; objects of files that differ from the commit are in the repository, where no ref names them. */
  readonly tree: ObjectId
  /** Whether branch or files differ from the commit. */
  readonly isChanged: boolean
  readonly ignored: ReadonlyArray<string>
}

const treeOf = (repository: Repository, files: WorkingFiles.Files, commit: ObjectId) =>
  Effect.gen(function* () {
    yield* Commits.enterChanges(repository, files, commit)
    const { stdout } = yield* files.git.run(["write-tree"])
    return yield* Refs.decode(ObjectId, stdout.toString().trim())
  })

const tipOf = (repository: Repository, worktree: Worktrees.Worktree) =>
  Effect.zipRight(Worktrees.verify(repository, worktree), WorkingFiles.examine(worktree))

export const keep = (repository: Repository, worktree: Worktrees.Worktree, commit: ObjectId) =>
  Effect.gen(function* () {
    const tip = yield* tipOf(repository, worktree)
    return yield* WorkingFiles.over(repository, worktree, commit, (files) =>
      Effect.map(treeOf(repository, files, commit), (tree): KeptFiles => {
        const isChanged = tip !== commit || WorkingFiles.changed(files).length > 0
        return { commit, tree, isChanged, ignored: files.ignored }
      })
    )
  })

/** Puts branch and files back, and removes what has been added since; an ignored file that was there stays as it is now. */
export const putBack = (
  repository: Repository,
  worktree: Worktrees.Worktree,
  { commit, ignored, tree }: Pick<KeptFiles, "commit" | "tree" | "ignored">
) =>
  Effect.gen(function* () {
    const { branch, clone, path } = worktree
    const tip = yield* tipOf(repository, worktree)
    yield* WorkingFiles.over(repository, worktree, commit, (files) =>
      Effect.gen(function* () {
        const { git, since } = files
        const known = new Set(ignored)
        const remove = (file: string) => fs.unlocking(path, fs.remove(`${path}/${file.replace(/\/$/, "")}`))
        for (const file of files.ignored) if (!known.has(file)) yield* remove(file)
        if ((yield* treeOf(repository, files, commit)) === tree && tip === commit) return
        // The index has all files now, so files that are not in the tree are removed.
        const lay = git.run(["read-tree", "--reset", "-u", "--end-of-options", tree])
        const index = git.run(["read-tree", "--reset", "--end-of-options", commit])
        // git only warns of files that it cannot remove.
        const removeLeft = Effect.flatMap(git.run(["ls-files", "-z", "--others", "--exclude-standard"]), ({ stdout }) =>
          Effect.forEach(Files.fields(stdout), remove, { discard: true })
        )
        const putting = fs.unlocking(path, lay).pipe(Effect.zipRight(removeLeft), Effect.zipRight(index))
        yield* WorkingFiles.move(repository, worktree, {
          index: git.index,
          since,
          from: commit,
          to: commit,
          before: tip === commit ? Effect.void : SharedClone.setBranch(clone, branch, commit),
          files: putting
        })
      })
    )
  })
