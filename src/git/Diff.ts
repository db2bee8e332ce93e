/**
 * The differences between two commits, file by file, in pages of bounded size. Git runs in an isolated directory, without the
 * attributes, drivers and configuration of the repository, so no external diff, textconv or filter can run.
 */
import { Effect, Option } from "effect"
import { mkdir } from "node:fs/promises"
import { step } from "./GitCommand.js"
import { type IsolatedGitDir, isolatedGitDir } from "./IsolatedGitDir.js"
import * as Patch from "./Patch.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"

export type Status = "added" | "modified" | "deleted" | "renamed" | "typeChanged"

/** One file that differs. */
export interface File extends Omit<Patch.Patch, "patch"> {
  readonly path: string
  /** The former path of a renamed file. */
  readonly oldPath?: string
  readonly status: Status
  /** The mode in git's notation, such as `100644`; missing if the file does not exist on that side. */
  readonly oldMode?: string
  readonly mode?: string
  /** The hunks, without a header; missing if the file is binary or too large. */
  readonly patch?: string
}

export interface Range {
  readonly base: ObjectId
  readonly head: ObjectId
}

export interface Options extends Range {
  /** How many files to skip. */
  readonly from?: number
  /** Only these files. */
  readonly paths?: ReadonlyArray<string>
}

export interface Page {
  readonly files: ReadonlyArray<File>
  /** The `from` of the next page. */
  readonly next: Option.Option<number>
}

/** Bytes of JSON per page. */
const maxPage = 4 * 1024 * 1024

const maxFiles = 1_000

/** Git does not read larger blobs. */
const maxBlob = 8 * 1024 * 1024

/** One line of `diff-tree --raw`. */
export interface Entry {
  readonly path: string
  readonly oldPath?: string
  readonly status: Status
  readonly old: Side | undefined
  readonly new: Side | undefined
}

interface Side {
  readonly mode: string
  readonly object: string
}

const statuses: Readonly<Record<string, Status>> = {
  A: "added",
  D: "deleted",
  M: "modified",
  R: "renamed",
  T: "typeChanged"
}

const side = (mode = "", object = ""): Side | undefined => (/^0*$/.test(mode) ? undefined : { mode, object })

const entries = (raw: string): ReadonlyArray<Entry> => {
  const fields = raw.split("\0")
  const found: Array<Entry> = []
  for (let i = 0; i < fields.length;) {
    const [oldMode, mode, oldObject, object, letter = ""] = (fields[i++] ?? "").replace(/^:/, "").split(" ")
    const status = statuses[letter.slice(0, 1)]
    if (status === undefined) continue
    const [first = "", second = ""] = [fields[i++], status === "renamed" ? fields[i++] : undefined]
    const sides = { old: side(oldMode, oldObject), new: side(mode, object) }
    found.push(
      status === "renamed" ? { path: second, oldPath: first, status, ...sides } : { path: first, status, ...sides }
    )
  }
  return found
}

/** Ignores attributes: they could only hide changes. */
const neutral = (repository: Repository): Repository => ({
  ...repository,
  attributes: "",
  settings: {
    ...repository.settings,
    "core.attributesfile": "/dev/null",
    "core.bigfilethreshold": String(maxBlob)
  }
})

/** Whether this side is a submodule, whose commit is not an object of this repository. */
const isLink = ({ mode }: Side): boolean => mode === "160000"

const sides = ({ new: after, old }: Entry): ReadonlyArray<Side> => [old, after].filter((side) => side !== undefined)

/** The sizes of the blobs, by object id. */
const sizes = (git: IsolatedGitDir, page: ReadonlyArray<Entry>) => {
  const objects = page.flatMap(sides).filter((side) => !isLink(side))
  const input = objects.map(({ object }) => `${object}\n`).join("")
  return objects.length === 0
    ? Effect.succeed(new Map<string, number>())
    : Effect.map(git.run(["cat-file", "--batch-check=%(objectname) %(objectsize)"], { input }), ({ stdout }) => {
        const lines = stdout.toString().split("\n")
        return new Map(lines.map((line) => line.split(" ")).map(([object = "", size]) => [object, Number(size)]))
      })
}

const fileOf = ({ new: after, old, oldPath, path, status }: Entry, { patch, ...found }: Patch.Patch): File => ({
  path,
  ...(oldPath !== undefined && { oldPath }),
  status,
  ...found,
  ...(old && { oldMode: old.mode }),
  ...(after && { mode: after.mode }),
  ...(!found.binary && found.tooLarge !== true && { patch })
})

export const diff = (repository: Repository, { base, from = 0, head, paths = [] }: Options) =>
  isolatedGitDir(neutral(repository), (git) =>
    Effect.gen(function* () {
      const { stdout } = yield* git.run([
        "diff-tree",
        "-r",
        "--raw",
        "-z",
        "--find-renames",
        "--no-abbrev",
        "--end-of-options",
        base,
        head,
        "--",
        ...paths
      ])
      const all = entries(stdout.toString())
      const page = all.slice(from, from + maxFiles)
      if (page.length === 0) return { files: [], next: Option.none() }
      const bytes = yield* sizes(git, page)
      const sizeOf = (side: Side) => bytes.get(side.object) ?? 0
      const objects = `${git.directory}/objects`
      yield* step("make a directory of objects", () => mkdir(objects))
      const patches = yield* Patch.make(git, {
        objects,
        borrowed: `${repository.commonDir}/objects`,
        pairs: page.map((entry) => ({
          old: entry.old,
          new: entry.new,
          size: sides(entry).reduce((sum, side) => sum + Math.min(sizeOf(side), maxBlob), 0),
          isTooLarge: sides(entry).some((side) => sizeOf(side) > maxBlob)
        }))
      })

      const files: Array<File> = []
      let size = 0
      for (const [i, entry] of page.entries()) {
        const file = fileOf(entry, yield* patches.of(i))
        size += Buffer.byteLength(JSON.stringify(file))
        if (files.length > 0 && size > maxPage) break
        files.push(file)
      }
      const end = from + files.length
      return { files, next: end < all.length ? Option.some(end) : Option.none() }
    })
  )
