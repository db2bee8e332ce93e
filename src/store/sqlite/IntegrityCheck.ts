/**
 * Integrity checks of database files, since writes to a damaged file make it worse. `quick_check` reads the whole file and
 * blocks the event loop, so a small file is checked before use, and a large one in a child process while it is in use.
 */
import { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { statSync } from "node:fs"
import { createRequire } from "node:module"
import { constants, setPriority } from "node:os"
import { StoreError } from "../../domain/errors.js"
import * as Generation from "./Generation.js"
import { isGeneric, reasonOf, storeError } from "../sql/mapSqlError.js"
import type { RawQuery } from "../sql/rawQuery.js"

/** Above this size, a check on a slow disk blocks for more than about a quarter of a second. */
const largeBytes = 16 * 1024 * 1024

export const isLarge = (filename: string): boolean =>
  (statSync(filename, { throwIfNoEntry: false })?.size ?? 0) > largeBytes

const operation = "open the database"

const corrupt = (message: string) => new StoreError({ operation, reason: "corrupt", cause: new Error(message) })

const damaged = (filename: string, what: string) =>
  corrupt(`${filename} is damaged: ${what}; restore it from a backup, or move it away to start afresh`)

/** The error for an unusable file. SQLite applies the WAL beside it, even another database's, so either may be wrong. */
const unusable = (filename: string, what: string) =>
  Generation.hasLog(filename)
    ? corrupt(
        `${filename} is damaged, or ${filename}-wal belongs to another database: ${what}; ` +
          `if ${filename} was restored from a backup, move away ${filename}-wal and ${filename}-shm to open it as it is; ` +
          "otherwise move away all three, and restore it from a backup"
      )
    : damaged(filename, what)

/** Adds to a corruption error which files to move away, if the file is not open yet. */
export const explain =
  (filename: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreError, R> =>
    Effect.mapError(effect, (error) =>
      error instanceof SqlError && reasonOf(error) === "corrupt"
        ? unusable(filename, textOf(storeError(operation)(error)))
        : error
    )

const textOf = ({ cause }: StoreError): string => (cause instanceof Error ? cause.message : String(cause))

/** Fails when the file is damaged. */
export const refuse = (execute: RawQuery, filename: string): Effect.Effect<void, StoreError | SqlError> =>
  execute<{ quick_check: string }>("PRAGMA quick_check(1)").pipe(
    Effect.map(([row]) => row?.quick_check),
    // The check evaluates CHECKs and opens the search index, and either may fail on damage with its own message.
    Effect.catchIf(
      (error) => reasonOf(error) === "corrupt" || isGeneric(error),
      (error) => Effect.succeed(textOf(storeError(operation)(error)))
    ),
    Effect.flatMap((found) => (found === "ok" ? Effect.void : unusable(filename, String(found))))
  )

/** Arguments: the driver and the database file. Prints the problem, or `ok`; nothing if the check could not run. */
const program = `
  const [, driver, filename] = process.argv
  try {
    const database = new (require(driver))(filename, { readonly: true, timeout: 60_000 })
    process.stdout.write(database.pragma("quick_check(1)", { simple: true }))
  } catch (error) {
    if (/^SQLITE_(CORRUPT|NOTADB|ERROR$)/.test(error.code)) process.stdout.write(error.message)
  }
`

/** Checks the file in a low-priority child process, which is killed on interruption. */
export const refuseInChildProcess = (filename: string): Effect.Effect<void, StoreError> =>
  Effect.async<string>((resume) => {
    const driver = createRequire(import.meta.url).resolve("better-sqlite3")
    const child = spawn(process.execPath, ["--eval", program, driver, filename], {
      env: {},
      stdio: ["ignore", "pipe", "ignore"]
    })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.on("error", () => resume(Effect.succeed("")))
    child.on("close", () => resume(Effect.succeed(output)))
    try {
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    } catch {
      // The child process has exited already, or priorities are not supported.
    }
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.flatMap((output) => {
      if (output === "ok") return Effect.void
      return output === ""
        ? Effect.logWarning(`the integrity check of ${filename} could not run; the database is used unchecked`)
        : damaged(filename, output)
    })
  )
