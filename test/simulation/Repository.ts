/**
 * A git repository of commits, branches, and the files of worktrees. They outlive the processes that make them.
 */
import { Effect, Option } from "effect"
import type { Service as Git } from "../../src/git/Git.js"
import { BranchExists, BranchMissing, BranchMoved, NotFastForward } from "../../src/git/GitError.js"
import { MergeResult } from "../../src/git/Merge.js"
import { Snapshot } from "../../src/git/Snapshot.js"
import { BranchName, ObjectId, OwnBranch } from "../../src/git/RefNames.js"
import type { Repository as Opened } from "../../src/git/Repository.js"
import type { Worktree } from "../../src/git/Worktrees.js"
import type { Life } from "./Life.js"
import type { Machine } from "./Machine.js"

export interface Repository {
  readonly git: (life: Life) => Git
  readonly at: (branch: string) => ObjectId | undefined
  readonly contains: (later: ObjectId, earlier: string) => boolean
  /** The files of a worktree, which processes change; undefined if there is none. */
  readonly files: (path: string) => Map<string, string> | undefined
  /** The user removes the directory of a worktree. */
  readonly lose: (path: string) => void
  /** The files of a commit. */
  readonly tree: (commit: ObjectId) => Tree
  /** How often each name stands in the commits that lead to this one: `JOB/UNIT/TASK`. */
  readonly done: (commit: ObjectId) => ReadonlyMap<string, number>
  /** The user commits to a branch. */
  readonly commit: (branch: BranchName) => void
  /** What the user has committed to a branch. */
  readonly ofUser: (branch: string) => ReadonlyArray<ObjectId>
}

export const targets = [BranchName.make("main"), BranchName.make("next")] as const

export const opened: Opened = {
  identity: "1:1",
  topLevel: "/repository",
  gitDir: "/repository/.git",
  commonDir: "/repository/.git",
  place: "1:1",
  objectFormat: "sha1",
  shallow: false,
  partial: false,
  author: Option.none(),
  committer: Option.none(),
  local: [],
  signs: false,
  signing: Option.none(),
  settings: {},
  filters: [],
  exclude: "",
  attributes: "",
  fingerprint: {}
}

export type Tree = ReadonlyMap<string, string>

interface Commit {
  readonly parents: ReadonlyArray<ObjectId>
  readonly done: string | undefined
  readonly tree: Tree
}

const isEqual = (one: Tree, other: Tree): boolean =>
  one.size === other.size && [...one].every(([path, content]) => other.get(path) === content)

export const make = (machine: Machine, onRemoved: (path: string) => void = () => {}): Repository => {
  const { nameOf, random, trace } = machine
  const commits = new Map<ObjectId, Commit>()
  const branches = new Map<string, ObjectId>()
  const worktrees = new Map<string, Worktree & { readonly files: Map<string, string> }>()
  const users = new Map<string, Array<ObjectId>>()

  const add = (commit: Commit): ObjectId => {
    const id = ObjectId.make((commits.size + 1).toString(16).padStart(40, "0"))
    commits.set(id, commit)
    return id
  }

  const history = (commit: ObjectId): ReadonlySet<ObjectId> => {
    const found = new Set<ObjectId>()
    const visit = (id: ObjectId) => {
      if (found.has(id)) return
      found.add(id)
      for (const parent of commits.get(id)?.parents ?? []) visit(parent)
    }
    visit(commit)
    return found
  }

  const contains: Repository["contains"] = (later, earlier) => [...history(later)].some((id) => id === earlier)

  /** Equal work has an equal name. */
  const works = new Map<string, ObjectId>()
  const nameOfWork = (base: ObjectId, tree: Tree): ObjectId => {
    const key = JSON.stringify([base, [...tree].sort(([a], [b]) => (a < b ? -1 : 1))])
    const commit = works.get(key) ?? add({ parents: [base], done: undefined, tree: new Map(tree) })
    works.set(key, commit)
    return commit
  }

  const set = (branch: string, to: ObjectId) => {
    branches.set(branch, to)
    trace.say(`git ${branch.replace(/[0-9A-Z]{26}/, nameOf)} is at ${short(to)}`)
  }

  const treeOf = (commit: ObjectId | undefined): Tree =>
    (commit === undefined ? undefined : commits.get(commit)?.tree) ?? new Map()

  const first = add({ parents: [], done: undefined, tree: new Map() })
  for (const target of targets) set(target, first)

  const lose = (path: string) => {
    worktrees.delete(path)
    onRemoved(path)
  }

  const git = (life: Life): Git => {
    const pause = Effect.suspend(() => (random.chance(0.2) ? life.sleep(random.between(0, 20)) : Effect.void))
    /** A command: it takes its time before it does what it does, and after. */
    const command = <A, E>(work: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.zipLeft(Effect.zipRight(pause, Effect.suspend(work)), pause)
    const answer = <A>(work: () => A) => command(() => Effect.sync(work))
    const unused = Effect.dieMessage("not in the simulation")
    const resolve = (branch: string) => {
      const commit = branches.get(branch)
      return commit === undefined ? new BranchMissing({ branch }) : Effect.succeed(commit)
    }
    return {
      version: Effect.succeed("2.40.0"),
      open: () => answer(() => opened),
      identify: ({ identity }) => answer(() => identity),
      problems: () => unused,
      head: () => unused,
      resolve: (_, branch) => command(() => resolve(branch)),
      checkouts: () => Effect.succeed([]),
      unwritable: () => Effect.succeedNone,
      ownBranches: () =>
        answer(() =>
          [...branches].flatMap(([name, commit]) =>
            name.startsWith("charlotte/") ? [{ branch: OwnBranch.make(name), commit }] : []
          )
        ),
      branches: () => unused,
      unheld: () => unused,
      unsigned: () => Effect.succeed(0),
      diff: () => unused,
      overlap: () => answer(() => []),
      push: () => unused,
      createBranch: (_, branch, at) => answer(() => set(branch, at)),
      restore: (_, branch, at) =>
        answer(() => {
          const had = branches.get(branch) !== at
          if (had) set(branch, at)
          return had
        }),
      deleteBranch: (_, branch) => answer(() => void branches.delete(branch)),
      advance: (_, branch, { from, to }) =>
        command(() =>
          Effect.flatMap(resolve(branch), (actual): ReturnType<Git["advance"]> => {
            if (actual === to) return Effect.succeed({ _tag: "Already" })
            if (actual !== from) return new BranchMoved({ branch, expected: from, actual })
            if (!contains(to, from)) return new NotFastForward({ branch, from, to })
            set(branch, to)
            return Effect.succeed({ _tag: "Reference" })
          })
        ),
      addWorktree: (_, { branch, from, path, unfinished }) =>
        command((): ReturnType<Git["addWorktree"]> => {
          if (from !== undefined && branches.has(branch)) return new BranchExists({ branch })
          if (from !== undefined) set(branch, from)
          const files = new Map(treeOf(unfinished?.commit ?? branches.get(branch)))
          const worktree = { path, gitDir: `${path}/.git`, clone: `${path}/.git`, branch, files }
          worktrees.set(path, worktree)
          return Effect.succeed(worktree)
        }),
      reopenWorktree: (_, { at, branch, path }) =>
        answer(() =>
          Option.filter(Option.fromNullable(worktrees.get(path)), () => {
            const tip = branches.get(branch)
            return tip !== undefined && contains(tip, at)
          })
        ),
      adoptWorktree: () => answer(() => false),
      verifyWorktree: (_, { branch }) => command(() => resolve(branch)),
      worktrees: () => answer(() => [...worktrees.values()]),
      removeWorktree: (_, path) => answer(() => lose(path)),
      putBack: () => Effect.succeed([]),
      userRefs: () => Effect.succeed(new Map()),
      movedUserRefs: () => Effect.succeed([]),
      keepFiles: (_, { path }, commit) =>
        answer(() => {
          const isChanged = !isEqual(worktrees.get(path)?.files ?? new Map(), treeOf(commit))
          return { commit, tree: commit, isChanged, ignored: [] }
        }),
      // The gates change no file.
      putFilesBack: () => answer(() => {}),
      compare: () => answer(() => ({ changed: [], ignored: [] })),
      status: (_, { branch }) =>
        command(() => Effect.map(resolve(branch), (commit) => ({ commit, changed: [], ignored: [] }))),
      commit: (_, { branch, path }, { before, jobId, since, task, unit }) =>
        Effect.gen(function* () {
          yield* pause
          const tip = yield* resolve(branch)
          if (since !== undefined && !contains(tip, since))
            return yield* new BranchMoved({ branch, expected: since, actual: tip })
          const tree = new Map(worktrees.get(path)?.files)
          const commit = add({ parents: [tip], done: `${jobId}/${unit}/${task}`, tree })
          yield* pause
          const committed = { commit, replaced: [], changed: [] }
          if (before !== undefined) yield* before(committed)
          yield* pause
          if (branches.get(branch) !== tip) return yield* new BranchMoved({ branch, expected: tip, actual: null })
          set(branch, commit)
          yield* pause
          return committed
        }),
      restoreProtected: () => unused,
      forward: (_, { branch, path }, { to }) =>
        answer(() => {
          set(branch, to)
          const worktree = worktrees.get(path)
          if (worktree !== undefined) worktrees.set(path, { ...worktree, files: new Map(treeOf(to)) })
        }),
      doneTasks: () => unused,
      parent: () => unused,
      isAncestor: (_, earlier, later) => answer(() => contains(later, earlier)),
      contains: (_, commit) => answer(() => commits.has(commit)),
      commits: (_, { from, to }) =>
        answer(() => {
          const before = history(from)
          return [...history(to)].filter((id) => !before.has(id)).length
        }),
      merge: (_, { ours, theirs }) =>
        answer(() => {
          if (contains(ours, theirs)) return MergeResult.UpToDate({ commit: ours })
          if (contains(theirs, ours)) return MergeResult.FastForward({ commit: theirs })
          const tree = new Map([...treeOf(ours), ...treeOf(theirs)])
          return MergeResult.Merged({ commit: add({ parents: [ours, theirs], done: undefined, tree }) })
        }),
      takeSnapshot: (_, { base, branch, path }) =>
        answer(() => {
          const worktree = worktrees.get(path)
          if (worktree === undefined) return Snapshot.Absent()
          if (isEqual(worktree.files, treeOf(base))) return Snapshot.Unchanged({ leftOut: [] })
          return Snapshot.Taken({
            commit: nameOfWork(base, worktree.files),
            files: 1,
            leftOut: [],
            isOnBranch: branches.has(branch)
          })
        }),
      diffSnapshot: () => unused,
      snapshotPatch: () => unused,
      entriesAt: () => Effect.succeed([]),
      readFile: () => Effect.succeedNone,
      differing: () => Effect.succeed([]),
      ignored: () => Effect.succeed([])
    }
  }

  return {
    git,
    contains,
    files: (path) => worktrees.get(path)?.files,
    lose,
    tree: treeOf,
    at: (branch) => branches.get(branch),
    done: (commit) => {
      const counts = new Map<string, number>()
      for (const id of history(commit)) {
        const name = commits.get(id)?.done
        if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      return counts
    },
    commit: (branch) => {
      const tip = branches.get(branch)
      if (tip === undefined) return
      const commit = add({ parents: [tip], done: undefined, tree: treeOf(tip) })
      set(branch, commit)
      users.set(branch, [...(users.get(branch) ?? []), commit])
    },
    ofUser: (branch) => users.get(branch) ?? []
  }
}

const short = (id: ObjectId): string => id.replace(/^0*/, "")
