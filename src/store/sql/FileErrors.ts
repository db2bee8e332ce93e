/**
 * What is wrong with the files of a database, and what to do: each names the files to move away before it is opened again.
 */
import { StoreError } from "../../domain/errors.js"

const replaced = (sentence: string) =>
  new StoreError({ operation: "use the database", reason: "replaced", cause: new Error(sentence) })

const corrupt = (sentence: string) =>
  new StoreError({ operation: "use the database", reason: "corrupt", cause: new Error(sentence) })

export const fateOf = (found: object | undefined) => (found === undefined ? "deleted" : "replaced")

/** What belongs to the database before, and would be applied to another one by whoever opens that next. */
const leftovers = (path: string) => `move ${path}-wal and ${path}-shm away, which belong to the one before`

export const lost = (path: string, fate: "deleted" | "replaced") =>
  replaced(`${path} was ${fate} while it was open; put it back and start again, or ${leftovers(path)}`)

export const logLost = (log: string, fate: "deleted" | "replaced") =>
  replaced(`${log} was ${fate} while it was open; put it back and start again`)

export const replacedInPlace = (path: string) =>
  replaced(
    `${path} was replaced while it was open: another one was copied over it. Nothing is recorded any more; ${leftovers(path)}, and start again`
  )

export const cutShort = (path: string) =>
  corrupt(
    `${path} was cut short while it was open; restore it from a backup and start again, but first ${leftovers(path)}`
  )

export const logCutShort = (log: string) =>
  corrupt(`${log} was cut short while it was open; restore it from a backup and start again`)
