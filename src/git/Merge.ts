/** Merges two commits without a checkout: only objects are written, and no branch moves. */
import { Data, Effect, Option, Schema } from "effect"
import { writeFile } from "node:fs/promises"
import * as CommitObject from "./CommitObject.js"
import * as ContentFilters from "./ContentFilters.js"
import * as Files from "./Files.js"
import * as ProtectedFiles from "./ProtectedFiles.js"
import { step } from "./GitCommand.js"
import { ObjectId, RepoPath } from "./RefNames.js"
import { decode } from "./Refs.js"
import type { Repository } from "./Repository.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"

export type MergeResult = Data.TaggedEnum<{
  /** Ours contains theirs already. */
  UpToDate: { readonly commit: ObjectId }
  /** Theirs contains ours: it is the result. */
  FastForward: { readonly commit: ObjectId }
  /** A new commit with both as parents. */
  Merged: { readonly commit: ObjectId }
  /** Both changed the same lines, or a file that needs one of the user's merge drivers. */
  Conflict: { readonly files: ReadonlyArray<string>; readonly unresolved?: Unresolved }
}>
export const MergeResult = Data.taggedEnum<MergeResult>()

/** A merge whose conflicts are marked in its files, for them to be resolved there. */
export interface Unresolved {
  /** It has the marked files; the same merge always has the same commit. No branch contains it. */
  readonly commit: ObjectId
  /** Of this commit, and of the merge. */
  readonly parents: ReadonlyArray<ObjectId>
}

export interface MergeOptions {
  readonly ours: ObjectId
  readonly theirs: ObjectId
  readonly subject: CommitObject.Subject
  /** Files that take the version of `theirs` if it changed them, even if `ours` changed them too. */
  readonly yields?: ReadonlyArray<RepoPath>
  /** The reverse: files that take the version of `ours`. */
  readonly prevails?: ReadonlyArray<RepoPath>
  /** Whether a conflict creates a commit with its marked files, if all of it is within the text of files. */
  readonly marks?: boolean
}

/** Writes the top-level `.gitattributes` of `ours`, since git reads attributes such as `merge=union` from files. */
const lay = (git: IsolatedGitDir, ours: ObjectId) =>
  Effect.flatMap(Files.content(git, ours, RepoPath.make(".gitattributes")), (rules) =>
    Option.match(rules, {
      onNone: () => Effect.void,
      onSome: (content) => step("read rules", () => writeFile(`${git.workTree}/.gitattributes`, content))
    })
  )

/** The best common ancestors: none if there is none, and several if the same work was merged on both sides. */
const bases = (git: IsolatedGitDir, ours: ObjectId, theirs: ObjectId) =>
  Effect.map(git.run(["merge-base", "--all", "--end-of-options", ours, theirs], { answers: [0, 1] }), ({ stdout }) =>
    stdout
      .toString()
      .split("\n")
      .filter((line) => line !== "")
  )

/** Files that both changed and that need one of the user's merge drivers: without it, git would merge them differently. */
const driven = (
  repository: Repository,
  git: IsolatedGitDir,
  {
    commons,
    ours,
    theirs
  }: { readonly commons: ReadonlyArray<string>; readonly ours: ObjectId; readonly theirs: ObjectId }
) =>
  Effect.gen(function* () {
    const both = yield* changedOnBoth(git, commons, ours, theirs)
    if (both.length === 0) return []
    yield* git.run(["read-tree", "--end-of-options", ours])
    const asked = yield* ContentFilters.asked(git, "merge", both)
    if (asked.length === 0) return []
    const programs = yield* ContentFilters.configured(repository, "merge")
    return asked.filter(({ driver }) => programs.has(driver)).map(({ path }) => path)
  })

/** A file that only one side changed since one of the common ancestors needs no merge of its content. */
const changedOnBoth = (git: IsolatedGitDir, commons: ReadonlyArray<string>, ours: ObjectId, theirs: ObjectId) =>
  Effect.gen(function* () {
    let both: ReadonlyArray<string> | undefined
    for (const common of commons) {
      const theirFiles = new Set(yield* changed(git, common, theirs))
      const here = (yield* changed(git, common, ours)).filter((path) => theirFiles.has(path))
      both = both === undefined ? here : both.filter((path) => here.includes(path))
    }
    return both ?? []
  })

/** The files that both commits have changed since they diverged. */
export const overlap = (
  repository: Repository,
  { ours, theirs }: { readonly ours: ObjectId; readonly theirs: ObjectId }
) =>
  isolatedGitDir(repository, (git) =>
    Effect.flatMap(bases(git, ours, theirs), (commons) => changedOnBoth(git, commons, ours, theirs))
  )

const changed = (git: IsolatedGitDir, from: string, to: ObjectId) =>
  Effect.map(
    git.run(["diff-tree", "-r", "--no-renames", "--name-only", "-z", "--end-of-options", from, to]),
    ({ stdout }) => Files.fields(stdout)
  )

/** One side of the merge, with the specified files taken from the other side if it changed them. */
const yielding = (
  repository: Repository,
  git: IsolatedGitDir,
  {
    common,
    files,
    from,
    into,
    subject
  }: {
    readonly common: string
    readonly into: ObjectId
    readonly from: ObjectId
    readonly files: ReadonlyArray<RepoPath>
    readonly subject: CommitObject.Subject
  }
) =>
  Effect.gen(function* () {
    if (files.length === 0 || common === "") return into
    const changedThere = new Set(yield* changed(git, common, from))
    yield* git.run(["read-tree", "--end-of-options", into])
    const differing = new Set(yield* ProtectedFiles.differing(git, from))
    const taken = yield* ProtectedFiles.reset(
      git,
      from,
      files.filter((path) => changedThere.has(path) && differing.has(path))
    )
    if (taken.length === 0) return into
    const tree = yield* decode(ObjectId, (yield* git.run(["write-tree"])).stdout.toString().trim())
    const title = `Take ${taken.length === 1 ? "a file" : `${taken.length} files`} over as changed meanwhile`
    return yield* CommitObject.write(repository, git, { tree, parents: [into], subject: { ...subject, title } })
  })

/** The output of `git merge-tree` with messages: the tree, the files in conflict, and the kinds of messages about them. */
const parse = (stdout: Buffer) => {
  const [tree = "", ...fields] = stdout.toString().split("\0")
  const end = fields.indexOf("")
  const kinds: Array<string> = []
  for (let at = end + 1; at < fields.length - 1;) {
    const paths = Number(fields[at])
    kinds.push(fields[at + paths + 1] ?? "")
    at += paths + 3
  }
  return { tree, files: [...new Set(fields.slice(0, end))], kinds }
}

/** All else cannot be marked: binary files, or files that one side has renamed or deleted. */
const isInText = (kind: string): boolean => !kind.startsWith("CONFLICT") || kind === "CONFLICT (contents)"

/** The lines with which git marks a conflict. */
const isMarker = (line: string): boolean => /^(<{7,}|>{7,}|={7,}|\|{7,})( |\r?$)/.test(line)

const markersIn = (git: IsolatedGitDir, commit: ObjectId, path: RepoPath) =>
  Effect.map(
    Files.content(git, commit, path),
    Option.match({
      onNone: (): ReadonlyArray<string> => [],
      onSome: (content) => content.toString("latin1").split("\n").filter(isMarker)
    })
  )

/** The files in which a tree has markers that neither parent has there: a text may have such lines of its own. */
export const marked = (
  git: IsolatedGitDir,
  {
    files,
    parents,
    tree
  }: { readonly tree: ObjectId; readonly parents: ReadonlyArray<ObjectId>; readonly files: ReadonlyArray<RepoPath> }
) =>
  Effect.filter(files, (path) =>
    Effect.gen(function* () {
      const own = new Set((yield* Effect.forEach(parents, (parent) => markersIn(git, parent, path))).flat())
      return (yield* markersIn(git, tree, path)).some((line) => !own.has(line))
    })
  )

const conflict = (
  repository: Repository,
  git: IsolatedGitDir,
  {
    kinds,
    parents,
    subject,
    ...merged
  }: ReturnType<typeof parse> & {
    readonly parents: ReadonlyArray<ObjectId>
    readonly subject: CommitObject.Subject
  }
) =>
  Effect.gen(function* () {
    const { files } = merged
    const paths = Schema.decodeUnknownOption(Schema.Array(RepoPath))(files)
    if (Option.isNone(paths) || !kinds.every(isInText)) return MergeResult.Conflict({ files })
    const tree = yield* decode(ObjectId, merged.tree)
    const isMarked = (yield* marked(git, { tree, parents, files: paths.value })).length === files.length
    if (!isMarked) return MergeResult.Conflict({ files })
    yield* ContentFilters.refuseIn(repository, { tree })
    const commit = yield* CommitObject.write(repository, git, { tree, parents, subject, isTemporary: true })
    return MergeResult.Conflict({ files, unresolved: { commit, parents } })
  })

export const merge = (repository: Repository, options: MergeOptions) =>
  isolatedGitDir(repository, (git) =>
    Effect.gen(function* () {
      const { marks = false, prevails = [], subject, yields = [] } = options
      const commons = yield* bases(git, options.ours, options.theirs)
      const [common = ""] = commons
      if (common === options.theirs) return MergeResult.UpToDate({ commit: options.ours })
      if (common === options.ours) return MergeResult.FastForward({ commit: options.theirs })
      const sides = { common, subject }
      const ours = yield* yielding(repository, git, {
        ...sides,
        into: options.ours,
        from: options.theirs,
        files: yields
      })
      const theirs = yield* yielding(repository, git, {
        ...sides,
        into: options.theirs,
        from: options.ours,
        files: prevails
      })
      const unmergeable = yield* driven(repository, git, { commons, ours, theirs })
      if (unmergeable.length > 0) return MergeResult.Conflict({ files: unmergeable })
      yield* lay(git, ours)
      const { code, stdout } = yield* git.run(
        ["merge-tree", "--write-tree", "-z", "--name-only", "--messages", "--end-of-options", ours, theirs],
        { answers: [0, 1] }
      )
      const parsed = parse(stdout)
      const parents = [ours, theirs]
      if (code === 1)
        return marks
          ? yield* conflict(repository, git, { ...parsed, parents, subject })
          : MergeResult.Conflict({ files: parsed.files })
      const merged = yield* decode(ObjectId, parsed.tree)
      // Attributes of one side may apply to files of the other.
      yield* ContentFilters.refuseIn(repository, { tree: merged })
      return MergeResult.Merged({
        commit: yield* CommitObject.write(repository, git, { tree: merged, parents, subject })
      })
    })
  )
