/**
 * Snapshots of unfinished work: each is a pack outside the repository, with all objects between the commit at which the work started and
 * a commit of the snapshot. It is read and written through a temporary directory of objects that borrows those of the repository, so
 * that the repository gets no object and no ref of it.
 */
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { rm, rmdir } from "node:fs/promises"
import { dirname } from "node:path"
import * as Diff from "./Diff.js"
import { GitCommand, step } from "./GitCommand.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"

export interface SnapshotPack {
  /** The path of the pack. */
  readonly pack: string
  /** The commit at which the work started, in the repository. */
  readonly base: ObjectId
  /** The commit of the snapshot, in the pack. */
  readonly commit: ObjectId
}

/** Files go into a snapshot, and come out of it, byte for byte. */
const noAttributes = "* -text !eol -ident !filter !working-tree-encoding\n"

const nameOf = (objects: string): string => `${objects}/pack/pack-snapshot`

interface Source {
  /** A pack to read. */
  readonly pack?: string
  /** More directories of objects to borrow. */
  readonly borrowed?: ReadonlyArray<string>
}

/** Runs an operation on the repository with a temporary directory of objects, and with all attributes off. */
export const withObjects = <A, E, R>(
  repository: Repository,
  { borrowed = [], pack }: Source,
  use: (repository: Repository) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(GitCommand, ({ environment }) =>
    Effect.acquireUseRelease(
      step("make a directory of objects", async () => mkdtempSync(`${environment.scratch}/charlotte-git-`)),
      (directory) => {
        const objects = `${directory}/objects`
        const furnish = step("borrow objects", async () => {
          mkdirSync(`${objects}/info`, { recursive: true })
          mkdirSync(`${objects}/pack`)
          const alternates = [`${repository.commonDir}/objects`, ...borrowed]
          writeFileSync(`${objects}/info/alternates`, alternates.map((path) => `${path}\n`).join(""))
          if (pack !== undefined) symlinkSync(pack, `${nameOf(objects)}.pack`)
        })
        const neutral = { ...repository, commonDir: directory, attributes: noAttributes }
        return furnish.pipe(
          Effect.zipRight(pack === undefined ? Effect.void : index(neutral)),
          Effect.zipRight(use(neutral))
        )
      },
      (directory) =>
        Effect.ignore(
          step("remove a directory of objects", async () => rmSync(directory, { recursive: true, force: true }))
        )
    )
  )

const index = (repository: Repository) =>
  isolatedGitDir(repository, (git) => git.run(["index-pack", `${nameOf(`${repository.commonDir}/objects`)}.pack`]))

/** Git's output and input in which each byte is one character: names of files may be no valid UTF-8. */
export const binary = {
  split: (stdout: Buffer): ReadonlyArray<string> => {
    const fields = stdout.toString("latin1").split("\0")
    return fields.slice(0, -1)
  },
  path: (directory: string, name: string): Buffer =>
    Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(name, "latin1")])
}

/** The changes of the snapshot since its base. */
export const diff = (repository: Repository, { base, commit, from, pack }: SnapshotPack & { readonly from?: number }) =>
  withObjects(repository, { pack }, (neutral) =>
    Diff.diff(neutral, { base, head: commit, ...(from !== undefined && { from }) })
  )

/** The same as a patch that `git apply` reads. */
export const patch = (repository: Repository, { base, commit, pack }: SnapshotPack) =>
  withObjects(repository, { pack }, (neutral) =>
    isolatedGitDir(neutral, (git) => {
      const options = ["--patch", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"]
      return Effect.map(git.run(["diff-tree", ...options, "--end-of-options", base, commit]), ({ stdout }) => stdout)
    })
  )

/** Removes the files, and the directories that have become empty. */
const removeFiles = (workTree: string, names: ReadonlyArray<string>) =>
  step("remove the files that the snapshot does not have", async () => {
    const top = Buffer.from(workTree).toString("latin1")
    for (const name of names) {
      await rm(binary.path(workTree, name), { force: true })
      const parents = { at: dirname(`${top}/${name}`) }
      while (parents.at !== top) {
        const isRemoved = await rmdir(Buffer.from(parents.at, "latin1")).then(
          () => true,
          () => false
        )
        if (!isRemoved) break
        parents.at = dirname(parents.at)
      }
    }
  })

const writeFiles = (git: IsolatedGitDir, commit: ObjectId, names: ReadonlyArray<string>) =>
  Effect.zipRight(
    git.run(["read-tree", "--end-of-options", commit]),
    git.run(["checkout-index", "--force", "-z", "--stdin"], {
      input: Buffer.from(names.map((name) => `${name}\0`).join(""), "latin1")
    })
  )

/** Puts the files of the snapshot into a work tree that has exactly the files of its base, and in which no process runs yet. */
export const lay = (repository: Repository, workTree: string, { base, commit, pack }: SnapshotPack) =>
  withObjects(repository, { pack }, (neutral) =>
    isolatedGitDir(
      neutral,
      (git) =>
        Effect.gen(function* () {
          const args = ["diff-tree", "-r", "-z", "--no-renames", "--name-status", "--end-of-options", base, commit]
          const fields = binary.split((yield* git.run(args)).stdout)
          const [deleted, written]: [Array<string>, Array<string>] = [[], []]
          for (let i = 0; i + 1 < fields.length; i += 2)
            (fields[i] === "D" ? deleted : written).push(fields[i + 1] ?? "")
          yield* removeFiles(workTree, deleted)
          if (written.length > 0) yield* writeFiles(git, commit, written)
        }),
      { workTree }
    )
  )
