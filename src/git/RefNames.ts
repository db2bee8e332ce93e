/**
 * The names and paths that reach git's command line. A validated value cannot be parsed as an option or a revision expression, and
 * contains nothing that misleads in a terminal.
 */
import { Schema } from "effect"
import type { JobId } from "../domain/JobId.js"

/** Control characters, characters that change the writing direction, and lone surrogates. */
const hidden = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u

const size = (value: string): number => Buffer.byteLength(value)

/** Quotes a refused value for a message: shortened, and with control characters escaped. */
export const quote = (value: string): string => {
  const start = value.length > 60 ? `${value.slice(0, 60)}…` : value
  return JSON.stringify(start).replace(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

/** A string without a fault; `fault` returns the end of the sentence that describes it. */
const named = (what: string, fault: (value: string) => string | undefined) =>
  Schema.String.pipe(
    Schema.filter((value) => fault(value) === undefined, {
      identifier: what,
      message: ({ actual }) => {
        const value = String(actual)
        return `${what} ${quote(value)} cannot be used: it ${fault(value) ?? "is not a string"}`
      }
    })
  )

const branchFault = (name: string): string | undefined => {
  if (name === "") return "is empty"
  if (size(name) > 240) return "is longer than 240 bytes"
  if (hidden.test(name)) return "contains invisible characters"
  if (name.startsWith("-")) return 'begins with "-"'
  if (name === "HEAD" || name === "@") return "means whatever is checked out; use the name of a branch"
  if (name.startsWith("refs/")) return `is a full ref name; use ${quote(name.replace(/^refs\/(heads\/)?/, ""))}`
  if (name.includes("..") || name.includes("@{")) return 'contains ".." or "@{", which git reads as more than a name'
  if (/[ ~^:?*[\\]/.test(name)) return "contains a space or one of ~ ^ : ? * [ \\, which git does not allow"
  const parts = name.split("/")
  if (parts.includes("")) return 'begins or ends with "/", or contains "//"'
  if (parts.some((part) => part.startsWith(".") || part.endsWith(".") || part.toLowerCase().endsWith(".lock")))
    return 'has a part that begins or ends with "." or ends with ".lock"'
  return undefined
}

/** The short name of a branch, such as `main`, by git's rules for names and a few more. */
export const BranchName = named("branch", branchFault).pipe(Schema.brand("charlotte/BranchName"))
export type BranchName = typeof BranchName.Type

/** A branch that Charlotte owns; it only fast-forwards other branches, and never creates or deletes them. */
export const OwnBranch = named("branch", (name) =>
  name.startsWith("charlotte/") ? branchFault(name) : 'is not one of Charlotte\'s: those begin with "charlotte/"'
).pipe(Schema.brand("charlotte/BranchName"), Schema.brand("charlotte/OwnBranch"))
export type OwnBranch = typeof OwnBranch.Type

const unitFault = (name: string): string | undefined => {
  if (name === "") return "is empty"
  if (size(name) > 100) return "is longer than 100 bytes"
  if (hidden.test(name)) return "contains invisible characters"
  if (!/^[\p{L}\p{N}]/u.test(name)) return "does not begin with a letter or a digit"
  if (!/^[\p{L}\p{N}\p{M}._-]+$/u.test(name)) return 'may contain only letters, digits, ".", "_" and "-"'
  return branchFault(name)
}

/** The name of a unit of tasks: a part of a branch, the name of a directory and the value of a trailer. */
export const UnitName = named("unit", unitFault).pipe(Schema.brand("charlotte/UnitName"))
export type UnitName = typeof UnitName.Type

const parts = (path: string): string | undefined => {
  if (/\p{Cc}/u.test(path)) return "contains control characters"
  if (/\p{Cs}/u.test(path)) return "is not valid Unicode"
  if (size(path) > 3000) return "is longer than 3000 bytes"
  if (path.split("/").some((part) => size(part) > 255)) return "has a part longer than 255 bytes"
  return undefined
}

/** The path of a file relative to the top level of its repository, such as `tasks/01-first.md`. */
export const RepoPath = named("path", (path) => {
  if (path === "") return "is empty"
  if (path.startsWith("/")) return "does not begin at the top level of the repository"
  const names = path.split("/")
  if (names.some((name) => name === "" || name === "." || name === "..")) return 'contains an empty part, "." or ".."'
  if (names.some((name) => name.toLowerCase() === ".git")) return "leads into the git directory"
  return parts(path)
}).pipe(Schema.brand("charlotte/RepoPath"))
export type RepoPath = typeof RepoPath.Type

/** An absolute path without `.` and `..`. */
export const AbsolutePath = named("path", (path) => {
  if (!path.startsWith("/")) return "is not absolute"
  if (path.split("/").some((part) => part === "." || part === "..")) return 'contains "." or ".."'
  return path.length > 1 && path.endsWith("/") ? 'ends with "/"' : parts(path)
}).pipe(Schema.brand("charlotte/AbsolutePath"))
export type AbsolutePath = typeof AbsolutePath.Type

/** A full object id: 40 hexadecimal digits, or 64 in a SHA-256 repository. */
export const ObjectId = Schema.String.pipe(
  Schema.pattern(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, { identifier: "object id" }),
  Schema.brand("charlotte/ObjectId")
)
export type ObjectId = typeof ObjectId.Type

/** The branch on which the tasks of a unit are worked on. */
export const unitBranch = (jobId: JobId, unit: UnitName): OwnBranch => OwnBranch.make(`charlotte/${jobId}/unit/${unit}`)

/** The branch on which a conflict of a unit is resolved. */
export const mergeBranch = (jobId: JobId, unit: UnitName): OwnBranch =>
  OwnBranch.make(`charlotte/${jobId}/merge/${unit}`)

/** The branch into which the finished units of a job are merged. */
export const resultBranch = (jobId: JobId): OwnBranch => OwnBranch.make(`charlotte/${jobId}/result`)

/** The full ref name of a branch. */
export const fullRef = (branch: BranchName): string => `refs/heads/${branch}`
