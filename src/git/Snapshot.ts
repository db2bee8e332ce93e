/**
 * Makes a snapshot of the unfinished work in a worktree, whatever its state: files, and commits of the agent on its branch or at its
 * HEAD.
 *
 * Charlotte reads the changed files itself and passes them to git through a pipe. Git would map them into memory, and a process that
 * truncates such a file meanwhile would kill it. Nothing is read from the worktree's own index and configuration.
 */
import { Data, Effect, Option, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { mkdir, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import * as plainText from "../internal/plainText.js"
import * as Checkouts from "./Checkouts.js"
import * as fs from "./fs.js"
import { GitFailed } from "./GitError.js"
import * as History from "./History.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"
import { type AbsolutePath, fullRef, ObjectId, type OwnBranch } from "./RefNames.js"
import { decode } from "./Refs.js"
import type { Repository } from "./Repository.js"
import * as SharedClone from "./SharedClone.js"
import { binary, type SnapshotPack, withObjects } from "./SnapshotPack.js"
import * as SnapshotStream from "./SnapshotStream.js"
import * as StatCache from "./StatCache.js"
import * as Worktrees from "./Worktrees.js"

export interface Options extends Pick<SnapshotPack, "base"> {
  /** Without it, the snapshot is only named. */
  readonly pack?: string
  readonly path: AbsolutePath
  readonly branch: OwnBranch
  /** The commit of an earlier snapshot: if nothing has changed since then, no pack is written. */
  readonly known?: ObjectId | undefined
}

export type Snapshot = Data.TaggedEnum<{
  /** There is no worktree, or its creation was interrupted. */
  Absent: {}
  /** It has exactly the files of the base, except what is left out. */
  Unchanged: { readonly leftOut: ReadonlyArray<SnapshotStream.LeftOut> }
  /** Equal work has an equal commit. */
  Taken: {
    readonly commit: ObjectId
    /** The number of files that have changed since the base or the agent's last commit. */
    readonly files: number
    readonly leftOut: ReadonlyArray<SnapshotStream.LeftOut>
    /** Whether HEAD was on the branch, at the base or ahead of it, with no operation under way. */
    readonly isOnBranch: boolean
  }
}>
export const Snapshot = Data.taggedEnum<Snapshot>()

export const take = (repository: Repository, options: Options) =>
  Effect.gen(function* () {
    const { base, branch } = options
    const path = Option.getOrElse(yield* Worktrees.canonical(options.path), () => options.path)
    const stats = yield* fs.stat(path)
    if (!Option.exists(stats, (stats) => stats.isDirectory())) return Snapshot.Absent()
    const gitDir = (yield* Checkouts.linked(repository)).get(path) ?? SharedClone.at(path)
    const worktree: Worktrees.Worktree = { path, gitDir, clone: SharedClone.at(path), branch }
    if (!(yield* Worktrees.isPopulated(worktree))) return Snapshot.Absent()
    const heads = yield* Effect.orElseSucceed(headsOf(worktree), (): ReadonlyArray<ObjectId> => [])
    const commits = heads.filter((head) => head !== base)
    const isOnBranch = yield* Effect.orElseSucceed(isHeadInPlace(worktree), () => false)
    const without = (more: Pick<Making, "isOnBranch" | "leftOut">) =>
      withObjects(repository, {}, (neutral) => make(neutral, worktree, { ...options, ...more, heads: [base] }))
    if (commits.length === 0) return yield* without({ isOnBranch, leftOut: [] })
    return yield* withObjects(repository, { borrowed: [`${worktree.clone}/objects`] }, (neutral) =>
      Effect.gen(function* () {
        yield* measure(neutral, base, commits)
        const isAhead = yield* Effect.every(commits, (commit) => History.isAncestor(neutral, base, commit))
        return yield* make(neutral, worktree, { ...options, heads, leftOut: [], isOnBranch: isOnBranch && isAhead })
      })
    ).pipe(
      // The files can be saved even if the commits cannot.
      Effect.catchTag("GitFailed", ({ detail }) =>
        without({
          isOnBranch: false,
          leftOut: [{ path: "the commits that were made there", reason: plainText.line(detail) }]
        })
      )
    )
  })

/** Also if there is no HEAD any more: then nothing shows that it was moved. */
const isHeadInPlace = ({ branch, clone, path }: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const head = yield* fs.readLine(`${clone}/HEAD`)
    if (Option.exists(head, (line) => line !== `ref: ${fullRef(branch)}`)) return false
    return Option.isNone(yield* Checkouts.operation({ gitDir: clone, path }))
  })

/** The commit of HEAD, and of the branch if it is another one. They may not exist. */
const headsOf = ({ branch, clone }: Worktrees.Worktree) =>
  Effect.gen(function* () {
    const head = yield* SharedClone.headCommit(clone)
    const tip = yield* SharedClone.tip(clone, branch)
    const found = [head, tip].flatMap((commit) =>
      Option.toArray(Option.flatMap(commit, Schema.decodeUnknownOption(ObjectId)))
    )
    return [...new Set(found)]
  })

/** Fails if the commits are too large, or cannot be read. */
const measure = (repository: Repository, base: ObjectId, commits: ReadonlyArray<ObjectId>) =>
  isolatedGitDir(repository, (git) =>
    git.run(["rev-list", "--objects", "--disk-usage", "--end-of-options", ...commits, `^${base}`])
  ).pipe(
    Effect.flatMap(({ stdout }) =>
      Number(stdout.toString()) > SnapshotStream.maxTotal
        ? new GitFailed({
            operation: "rev-list",
            exitCode: 0,
            detail: `larger than ${SnapshotStream.maxTotal / SnapshotStream.mebibyte} MB`
          })
        : Effect.void
    )
  )

interface Making extends Options {
  /** The first one is that of the files. */
  readonly heads: ReadonlyArray<ObjectId>
  readonly leftOut: ReadonlyArray<SnapshotStream.LeftOut>
  readonly isOnBranch: boolean
}

const make = (
  repository: Repository,
  worktree: Worktrees.Worktree,
  { base, heads, isOnBranch, known, leftOut, pack }: Making
) =>
  isolatedGitDir(
    repository,
    (git) =>
      Effect.gen(function* () {
        const [head = base] = heads
        const { candidates, refused } = yield* list(repository, git, worktree, head)
        const stream = SnapshotStream.make(repository, worktree.path, { candidates, heads: [head, ...heads.slice(1)] })
        const { stdout } = yield* git.run(["fast-import", "--quiet", "--done"], {
          input: stream.input,
          settings: { "fastimport.unpackLimit": "0", ...unflushed }
        })
        const notIn = [...leftOut, ...refused, ...stream.leftOut]
        if (stream.changed.length === 0 && heads.every((head) => head === base))
          return Snapshot.Unchanged({ leftOut: notIn })
        const commit = yield* decode(ObjectId, stdout.toString().trim())
        const taken = Snapshot.Taken({ commit, files: stream.changed.length, leftOut: notIn, isOnBranch })
        if (commit === known || pack === undefined) return taken
        const made = `${repository.commonDir}/objects/new`
        const packed = yield* git.run(["pack-objects", "--revs", "-q", made], {
          input: `${commit}\n^${base}\n`,
          settings: unflushed
        })
        yield* put(`${made}-${packed.stdout.toString().trim()}.pack`, pack)
        return taken
      }),
    { workTree: worktree.path }
  )

/** Only the pack is flushed, once, when it is copied. */
const unflushed = { "core.fsync": "none" }

/**
 * Copies a pack durably: it is flushed before it gets its name. An interruption does not wait for that, which may take seconds; the pack
 * then gets no name.
 */
const put = (from: string, to: string) =>
  Effect.tryPromise({
    try: async (signal) => {
      const temporary = `${to}.${randomUUID()}.tmp`
      await mkdir(dirname(to), { recursive: true })
      try {
        await fs.copyFlushed(from, temporary)
        if (!signal.aborted) await rename(temporary, to)
      } finally {
        await rm(temporary, { force: true })
      }
    },
    catch: (cause) => new GitFailed({ operation: `write ${to}`, exitCode: null, detail: messageOf(cause) })
  })

const messageOf = (cause: unknown): string => plainText.line(cause instanceof Error ? cause.message : String(cause))

/** The files that differ from the index by their status, or are not in it, without reading any. */
const list = (repository: Repository, git: IsolatedGitDir, worktree: Worktrees.Worktree, head: ObjectId) =>
  Effect.gen(function* () {
    yield* StatCache.restore(repository, worktree, git.index)
    yield* git.run(["read-tree", "-i", "-m", "--end-of-options", head])
    const [tracked, others] = yield* Effect.all(
      [
        git.run(["diff-files", "--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all"]),
        git.run(["ls-files", "-z", "--others", "--exclude-standard"])
      ],
      { concurrency: 2 }
    )
    const fields = binary.split(tracked.stdout)
    const candidates: Array<SnapshotStream.Candidate> = []
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const [, mode = "", object = "", status] = /^:(\d+) \d+ (\w+) \w+ (\w)/.exec(fields[i] ?? "") ?? []
      candidates.push({ name: fields[i + 1] ?? "", committed: { mode, object }, isDeleted: status === "D" })
    }
    const refused = complaints(`${tracked.stderr}\n${others.stderr}`)
    for (const name of binary.split(others.stdout)) {
      if (name.endsWith("/")) refused.push({ path: SnapshotStream.shown(name), reason: "a nested repository" })
      else if (isReserved.test(name))
        refused.push({ path: SnapshotStream.shown(name), reason: "git does not accept its name" })
      else candidates.push({ name })
    }
    return { candidates, refused }
  })

/** Git refuses names that are its own on some file system. */
const isReserved = /(?:^|\/)(?:\.git|git~1)(?:\/|$)/i

/** What git could not read. */
const complaints = (stderr: string): Array<SnapshotStream.LeftOut> =>
  [...stderr.matchAll(/^(?:warning: could not open directory '(.*)'|(?!warning: )(.*)): Permission denied$/gm)].map(
    ([, directory, file]) => ({ path: plainText.line(directory ?? file ?? ""), reason: "it cannot be read" })
  )
