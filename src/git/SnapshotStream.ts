/**
 * The input with which `git fast-import` makes the commit of a snapshot: changed files of a worktree, read here, with limits on what
 * is read.
 */
import { createHash } from "node:crypto"
import { constants, type Stats } from "node:fs"
import { lstat, open, readlink } from "node:fs/promises"
import * as plainText from "../internal/plainText.js"
import { quoted } from "./IsolatedGitDir.js"
import type { ObjectId } from "./RefNames.js"
import type { Repository } from "./Repository.js"
import { binary } from "./SnapshotPack.js"

/** What is not in the snapshot. */
export interface LeftOut {
  readonly path: string
  readonly reason: string
}

export const mebibyte = 1024 ** 2

const maxFile = 20 * mebibyte

/** Bytes of all files and commits. */
export const maxTotal = 200 * mebibyte

/** Files that are read at once. */
const atOnce = 4

/** A file that may have changed. */
export interface Candidate {
  /** One character for each byte. */
  readonly name: string
  /** As committed, if it is. */
  readonly committed?: { readonly mode: string; readonly object: string }
  readonly isDeleted?: boolean
}

type Content = { readonly mode: string; readonly bytes: Buffer } | { readonly reason: string }

/** A name in a text for people. */
export const shown = (name: string): string => plainText.line(Buffer.from(name, "latin1").toString())

/** The input of `git fast-import` for the commit. What it contains, and what it does not, is known once it has been read. */
export const make = (
  { objectFormat, settings }: Repository,
  path: string,
  { candidates, heads }: { readonly candidates: ReadonlyArray<Candidate>; readonly heads: ReadonlyArray<ObjectId> }
) => {
  const changed: Array<string> = []
  const leftOut: Array<LeftOut> = []
  const hasModes = settings["core.filemode"] !== "false"
  let total = 0

  const isCommitted = ({ committed }: Candidate, mode: string, bytes: Buffer): boolean =>
    committed?.mode === mode &&
    createHash(objectFormat).update(`blob ${bytes.length}\0`).update(bytes).digest("hex") === committed.object

  const command = (candidate: Candidate, content: Content | undefined): ReadonlyArray<string | Buffer> => {
    const { committed, name } = candidate
    if (content === undefined) {
      if (committed === undefined) return []
      changed.push(name)
      return [`D ${quoted(name)}\n`]
    }
    const omit = (reason: string) => {
      leftOut.push({ path: shown(name), reason })
      return []
    }
    if ("reason" in content) return omit(content.reason)
    const { bytes } = content
    const isFile = content.mode !== "120000"
    const mode = !hasModes && isFile && committed?.mode.startsWith("100") === true ? committed.mode : content.mode
    if (isCommitted(candidate, mode, bytes)) return []
    if (total + bytes.length > maxTotal) return omit(`beyond ${maxTotal / mebibyte} MB in all`)
    total += bytes.length
    changed.push(name)
    return [`M ${mode} inline ${quoted(name)}\ndata ${bytes.length}\n`, bytes, "\n"]
  }

  const generate = async function* (): AsyncGenerator<Buffer> {
    const message = "Unfinished work\n"
    const [from, ...merged] = heads
    // Without a date, equal work has an equal commit.
    yield Buffer.from(
      `commit refs/heads/unfinished\nmark :1\ncommitter Charlotte <charlotte@localhost> 0 +0000\n` +
        `data ${message.length}\n${message}from ${from}\n${merged.map((commit) => `merge ${commit}\n`).join("")}`
    )
    for (let i = 0; i < candidates.length; i += atOnce) {
      const some = candidates.slice(i, i + atOnce)
      const contents = await Promise.all(
        some.map(({ isDeleted, name }) => (isDeleted === true ? undefined : read(binary.path(path, name))))
      )
      for (const [j, candidate] of some.entries())
        for (const part of command(candidate, contents[j]))
          yield typeof part === "string" ? Buffer.from(part, "latin1") : part
    }
    yield Buffer.from("\nget-mark :1\ndone\n")
  }
  return { input: generate(), changed, leftOut }
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : String(cause)

/** The file at a path; undefined if there is none. */
const read = async (path: Buffer): Promise<Content | undefined> => {
  try {
    const stats = await lstat(path)
    if (stats.isSymbolicLink()) return { mode: "120000", bytes: await readlink(path, { encoding: "buffer" }) }
    return stats.isDirectory() ? undefined : await readRegular(path, stats)
  } catch (cause) {
    const code = codeOf(cause)
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : { reason: `it cannot be read: ${code}` }
  }
}

/** Reads as much as the file had when it was opened, or what is left if it is truncated meanwhile. */
const readRegular = async (path: Buffer, found: Stats): Promise<Content> => {
  // Opening a pipe would wait for a writer.
  if (!found.isFile()) return { reason: "no regular file" }
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) return { reason: "no regular file" }
    if (stats.size > maxFile) return { reason: `larger than ${maxFile / mebibyte} MB` }
    const buffer = Buffer.allocUnsafe(stats.size)
    let size = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, size, stats.size - size)
      size += bytesRead
      if (bytesRead === 0 || size === stats.size) break
    }
    return { mode: stats.mode & 0o100 ? "100755" : "100644", bytes: buffer.subarray(0, size) }
  } finally {
    await file.close()
  }
}
