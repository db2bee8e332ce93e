/**
 * The patches of pairs of blobs. Git compares two temporary trees that contain them under numbers instead of names, so that names,
 * renames and attributes have no effect, and no part of a name can be mistaken for part of a patch.
 */
import { Effect } from "effect"
import type { GitCommand } from "./GitCommand.js"
import type { GitError } from "./GitError.js"
import { type IsolatedGitDir, quoted } from "./IsolatedGitDir.js"

export interface Patch {
  /** 0 if the file is binary or too large to compare. */
  readonly additions: number
  readonly deletions: number
  readonly binary: boolean
  /** The patch is omitted. */
  readonly tooLarge?: true
  /** The hunks, without a header and without a line break at the end. */
  readonly patch: string
}

interface Blob {
  readonly mode: string
  readonly object: string
}

export interface Pair {
  readonly old: Blob | undefined
  readonly new: Blob | undefined
  /** The number of bytes that git reads to compare them. */
  readonly size: number
  readonly isTooLarge: boolean
}

export interface Options {
  /** An empty directory for the objects of the trees. */
  readonly objects: string
  /** The object directory that contains the blobs. */
  readonly borrowed: string
  readonly pairs: ReadonlyArray<Pair>
}

export interface Patches {
  /** The patch of a pair; request the pairs in order. */
  readonly of: (index: number) => Effect.Effect<Patch, GitError, GitCommand>
}

/** Bytes of JSON per patch. */
const maxPatch = 1024 * 1024

/** Bytes of blobs that one process compares; a larger pair gets a separate process. */
const batch = 8 * 1024 * 1024

/** Pairs per process: each is an argument. */
const maxPairs = 1_000

const name = (index: number): string => String(index).padStart(6, "0")

const record = (blob: Blob | undefined, index: number): string =>
  blob === undefined
    ? ""
    : `${blob.mode} ${blob.mode === "160000" ? "commit" : "blob"} ${blob.object}\t${name(index)}\0`

const nothing: Patch = { additions: 0, deletions: 0, binary: false, patch: "" }

const isBinary = (header: string): boolean => /(?:^|\n)Binary files [^\n]* differ$/.test(header.trimEnd())

/** Each line of a hunk starts with a marker character, so none can look like a header. */
const parse = (text: string): ReadonlyMap<string, Patch> => {
  const found = new Map<string, Patch>()
  for (const piece of `\n${text.replace(/\n$/, "")}`.split("\ndiff --git a/").slice(1)) {
    const at = piece.indexOf("\n@@ ")
    const hunks = at < 0 ? "" : piece.slice(at + 1)
    const lines = hunks.split("\n")
    // A file that became a link, say, has one patch that deletes it and another that adds it.
    const before = found.get(piece.slice(0, 6)) ?? nothing
    found.set(piece.slice(0, 6), {
      additions: before.additions + lines.filter((line) => line.startsWith("+")).length,
      deletions: before.deletions + lines.filter((line) => line.startsWith("-")).length,
      binary: before.binary || (at < 0 && isBinary(piece)),
      patch: [before.patch, hunks].filter((part) => part !== "").join("\n")
    })
  }
  return found
}

const bounded = (patch: Patch): Patch =>
  Buffer.byteLength(JSON.stringify(patch.patch)) > maxPatch ? { ...patch, tooLarge: true, patch: "" } : patch

export const make = (git: IsolatedGitDir, { borrowed, objects, pairs }: Options) =>
  Effect.gen(function* () {
    const variables = { GIT_OBJECT_DIRECTORY: objects, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(borrowed) }
    const input = (["old", "new"] as const)
      .map((which) => `${pairs.map((pair, i) => record(pair[which], i)).join("")}\0`)
      .join("")
    const trees = yield* git.run(["mktree", "-z", "--missing", "--batch"], { input, variables })
    const [old = "", after = ""] = trees.stdout.toString().split("\n")

    const compare = (from: number, to: number) => {
      const names = Array.from({ length: to - from }, (_, i) => name(from + i))
      const options = ["--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--end-of-options"]
      return Effect.map(
        git.run(["diff-tree", "-r", "--patch", ...options, old, after, "--", ...names], { variables }),
        ({ stdout }) => parse(stdout.toString())
      )
    }

    let compared: ReadonlyMap<string, Patch> = new Map()
    let end = 0
    const of = (index: number) =>
      Effect.gen(function* () {
        const pair = pairs[index]
        if (pair?.isTooLarge === true) return { ...nothing, tooLarge: true as const }
        if (index >= end) {
          let size = 0
          for (end = index; end < pairs.length && end - index < maxPairs; end++) {
            size += pairs[end]?.size ?? 0
            if (end > index && size > batch) break
          }
          compared = yield* compare(index, end)
        }
        return bounded(compared.get(name(index)) ?? nothing)
      })
    const patches: Patches = { of }
    return patches
  })
