/**
 * Files that the user names for a port: a certificate, its key, and the token that all nodes and their clients share.
 */
import { Effect, Redacted } from "effect"
import { readFileSync, statSync } from "node:fs"
import { Problem } from "../Problem.js"
import { usable } from "./Token.js"

export { usable } from "./Token.js"

type What = "certificate" | "key" | "token"

/** A named file cannot be used; nothing was changed. `problem` says what to do, too. */
export const unusable = (what: What, path: string, problem: string) =>
  new Problem({
    name: "FileUnusable",
    problem: `the ${what} in ${path} cannot be used: ${problem}`,
    details: { what, path, problem }
  })

export interface Content {
  readonly text: string
  /** Whether other users can access the file. */
  readonly isOpen: boolean
}

/** Certificate chains are a few KiB. */
const maxSize = 256 * 1024

/** Only a regular file is opened, since opening a FIFO blocks. It may be a link, as in the volumes of containers. */
export const read = (what: What, path: string): Effect.Effect<Content, Problem> =>
  Effect.try({
    try: () => {
      const file = statSync(path)
      const problem = file.isFile()
        ? file.size > maxSize && "it is too large"
        : "it is not a regular file; name one that holds it"
      if (problem !== false) return unusable(what, path, problem)
      return { text: readFileSync(path, "utf8"), isOpen: (file.mode & 0o077) !== 0 }
    },
    catch: (cause) => {
      const problem = cause instanceof Error ? cause.message : String(cause)
      return unusable(what, path, `${problem}; name a file that this user can read`)
    }
  }).pipe(Effect.flatMap((found) => (found instanceof Problem ? found : Effect.succeed(found))))

export interface SharedToken {
  readonly token: Redacted.Redacted
  readonly isOpen: boolean
}

/** Reads the token from a file of the user. */
export const readToken = (path: string): Effect.Effect<SharedToken, Problem> =>
  Effect.flatMap(read("token", path), ({ isOpen, text }) => {
    const token = text.trim()
    const make = `make one with: openssl rand -hex 32 > ${path}`
    if (token === "") return unusable("token", path, `it is empty; ${make}`)
    return usable.test(token)
      ? Effect.succeed({ token: Redacted.make(token), isOpen })
      : unusable("token", path, `it must be at least 32 visible characters of ASCII; ${make}`)
  })
