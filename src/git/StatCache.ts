/**
 * Remembers the index of each worktree between operations, so that git reads only the files that changed since the last one. Git
 * considers a file unchanged if its size, inode and times match the index. Processes in a worktree can choose all of them except
 * the time of the last status change (ctime), and some builds of git compare only its seconds. So entries as recent as the index
 * are compared to the nanosecond, and are cleared if a process could have changed the file again.
 */
import { Context, Effect, Option } from "effect"
import { createHash } from "node:crypto"
import { lstatSync, mkdtempSync, rmdirSync, utimesSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import * as fs from "./fs.js"
import { step } from "./GitCommand.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"

/** The needed fields of a worktree. */
interface Worktree {
  readonly path: string
  readonly gitDir: string
  readonly clone: string
}

interface Remembered {
  readonly digest: string
  /** The commit whose files the index contains. */
  readonly commit: ObjectId
  /** The time of the file system, in nanoseconds, after which processes may have changed files. */
  readonly since: bigint
}

/**
 * The digest of each worktree's index, by git directory. The index is kept in a file there, which a process could find and
 * replace, but it is used only if it has the digest in this map. After a restart the map is empty, and all files are read once.
 */
export class StatCaches extends Context.Tag("charlotte/GitStatCaches")<StatCaches, Map<string, Remembered>>() {}

export const fileOf = ({ gitDir }: Worktree): string => `${gitDir}/charlotte-index`

const digestOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex")

/**
 * The current time of the worktree's file system, which may be another machine's. If processes can set the ctime like the mtime,
 * as on FAT, the result is 0, and no entry is older.
 */
export const now = ({ clone, path }: Worktree) =>
  step(`read the time at ${path}`, async () => {
    const probe = mkdtempSync(`${clone}/time-`)
    try {
      utimesSync(probe, 0, 0)
      return lstatSync(probe, { bigint: true }).ctimeNs
    } finally {
      rmdirSync(probe)
    }
  })

/** Remembers an index. Without success, the next operation reads all files. */
export const save = (worktree: Worktree, { index, ...rest }: Omit<Remembered, "digest"> & { readonly index: string }) =>
  Effect.flatMap(StatCaches, (caches) =>
    step(`remember the index of ${worktree.path}`, async () => {
      caches.delete(worktree.gitDir)
      const content = await readFile(index)
      await writeFile(fileOf(worktree), content)
      caches.set(worktree.gitDir, { digest: digestOf(content), ...rest })
    }).pipe(Effect.ignore)
  )

/** Writes the remembered index to a path, and returns its commit; none if nothing is remembered. */
export const restore = ({ objectFormat }: Repository, worktree: Worktree, index: string) =>
  Effect.gen(function* () {
    const remembered = (yield* StatCaches).get(worktree.gitDir)
    if (remembered === undefined) return Option.none<ObjectId>()
    const content = yield* fs.read(fileOf(worktree))
    if (Option.isNone(content) || digestOf(content.value) !== remembered.digest) return Option.none<ObjectId>()
    const isKnown = doubt(content.value, { objectFormat, since: remembered.since, top: worktree.path })
    if (!isKnown) return Option.none<ObjectId>()
    yield* step("write the index", () => writeFile(index, content.value))
    return Option.some(remembered.commit)
  })

/** Drops the cached index of a removed worktree. */
export const forget = (gitDir: string) => Effect.map(StatCaches, (caches) => caches.delete(gitDir))

const second = 1_000_000_000n

/** The parts of an index in version 2 of its format: each entry begins with the seconds and nanoseconds of ctime and mtime. */
const [headerSize, timesSize, statSize, flagsSize, alignment] = [12, 16, 40, 2, 8]

/** Where an entry has its mode, and the mode of a nested repository. */
const [modeAt, gitlink] = [24, 0o160000]

/** The flags of an entry end with the size of its name, or with this value if the name is longer. */
const maxNameSize = 0xfff

/**
 * Sets an entry's times to 0, so that git reads the file, unless any later change would show in its ctime. Returns false for an
 * unknown format, and for an index with a nested repository, which a process can create while git adds files.
 */
export const doubt = (
  index: Buffer,
  {
    objectFormat,
    since,
    top
  }: { readonly objectFormat: "sha1" | "sha256"; readonly since: bigint; readonly top: string }
): boolean => {
  const idSize = objectFormat === "sha256" ? 32 : 20
  if (index.length < headerSize + idSize || index.readUInt32BE(4) !== 2) return false
  const from = Number(since / second)
  const root = Buffer.from(`${top}/`)
  const entries = index.readUInt32BE(8)
  let isChanged = false
  for (let i = 0, at = headerSize; i < entries; i++) {
    const path = at + statSize + idSize + flagsSize
    const size = index.readUInt16BE(path - flagsSize) & maxNameSize
    const end = size < maxNameSize ? path + size : index.indexOf(0, path + size)
    if (index.readUInt32BE(at + modeAt) === gitlink) return false
    const seconds = index.readUInt32BE(at)
    // Entries of an earlier second need no check: any later change has left a later ctime, which git sees.
    if (seconds >= from) {
      const changed = BigInt(seconds) * second + BigInt(index.readUInt32BE(at + 4))
      const file = Buffer.concat([root, index.subarray(path, end)])
      if (changed >= since || changedAt(file) !== changed) {
        index.fill(0, at, at + timesSize)
        isChanged = true
      }
    }
    at += Math.ceil((end - at + 1) / alignment) * alignment
  }
  const sum = index.length - idSize
  if (isChanged) createHash(objectFormat).update(index.subarray(0, sum)).digest().copy(index, sum)
  return true
}

const changedAt = (file: Buffer): bigint | undefined => {
  try {
    return lstatSync(file, { bigint: true }).ctimeNs
  } catch {
    return undefined
  }
}
