/**
 * Errors about the files of an open database; each says which files to restore or to move away.
 */
import { StoreError } from "../../domain/errors.js"

const replaced = (sentence: string) =>
  new StoreError({ operation: "use the database", reason: "replaced", cause: new Error(sentence) })

const corrupt = (sentence: string) =>
  new StoreError({ operation: "use the database", reason: "corrupt", cause: new Error(sentence) })

export const fateOf = (found: object | undefined) => (found === undefined ? "deleted" : "replaced")

/** The remedy for a leftover WAL, which would be applied to the next database that is opened at this path. */
const leftovers = (path: string) => `move away ${path}-wal and ${path}-shm, which belong to the previous database`

export const lost = (path: string, fate: "deleted" | "replaced") =>
  replaced(`${path} was ${fate} while it was open; restore the original file and restart, or ${leftovers(path)}`)

export const logLost = (log: string, fate: "deleted" | "replaced") =>
  replaced(`${log} was ${fate} while it was open; restore the original file and restart`)

export const replacedInPlace = (path: string) =>
  replaced(
    `${path} was replaced while it was open: another file was copied over it. Nothing more is recorded; ${leftovers(path)}, and restart`
  )

export const truncated = (path: string) =>
  corrupt(`${path} was truncated while it was open; ${leftovers(path)}, then restore it from a backup and restart`)

export const logTruncated = (log: string) =>
  corrupt(`${log} was truncated while it was open; restore it from a backup and restart`)
