/**
 * Files that the user names for a port: a certificate, its key, and the token that all nodes and their clients share.
 */
import { Effect, Redacted, Schema } from "effect"
import { readFileSync, statSync } from "node:fs"
import { usable } from "./Token.js"

export { usable } from "./Token.js"

/** A named file cannot be used; nothing was changed. */
export class FileUnusable extends Schema.TaggedError<FileUnusable>()("FileUnusable", {
  what: Schema.Literal("certificate", "key", "token"),
  path: Schema.String,
  /** The problem and what to do. */
  problem: Schema.String
}) {
  override get message() {
    return `the ${this.what} in ${this.path} cannot be used: ${this.problem}`
  }
}

export interface Content {
  readonly text: string
  /** Whether other users can access the file. */
  readonly isOpen: boolean
}

/** Certificate chains are a few KiB. */
const maxSize = 256 * 1024

/** Only a regular file is opened, since opening a FIFO blocks. It may be a link, as in the volumes of containers. */
export const read = (what: FileUnusable["what"], path: string): Effect.Effect<Content, FileUnusable> =>
  Effect.try({
    try: () => {
      const file = statSync(path)
      const problem = file.isFile()
        ? file.size > maxSize && "it is too large"
        : "it is not a regular file; name one that holds it"
      if (problem !== false) return new FileUnusable({ what, path, problem })
      return { text: readFileSync(path, "utf8"), isOpen: (file.mode & 0o077) !== 0 }
    },
    catch: (cause) => {
      const problem = cause instanceof Error ? cause.message : String(cause)
      return new FileUnusable({ what, path, problem: `${problem}; name a file that this user can read` })
    }
  }).pipe(Effect.flatMap((found) => (found instanceof FileUnusable ? found : Effect.succeed(found))))

export interface SharedToken {
  readonly token: Redacted.Redacted
  readonly isOpen: boolean
}

/** Reads the token from a file of the user. */
export const readToken = (path: string): Effect.Effect<SharedToken, FileUnusable> =>
  Effect.flatMap(read("token", path), ({ isOpen, text }) => {
    const token = text.trim()
    const make = `make one with: openssl rand -hex 32 > ${path}`
    if (token === "") return new FileUnusable({ what: "token", path, problem: `it is empty; ${make}` })
    return usable.test(token)
      ? Effect.succeed({ token: Redacted.make(token), isOpen })
      : new FileUnusable({
          what: "token",
          path,
          problem: `it must be at least 32 visible characters of ASCII; ${make}`
        })
  })
