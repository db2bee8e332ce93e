/**
 * Looking through a database file for damage: a damaged one takes writes otherwise, and they make it worse. That takes some
 * 2 ms for a megabyte, and 17 when it comes from a disk, in a process that stands still meanwhile. So a small file is looked
 * through before it is used, and a large one by a process beside, while it is used already.
 */
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { statSync } from "node:fs"
import { createRequire } from "node:module"
import { constants, setPriority } from "node:os"
import { StoreError } from "../../domain/errors.js"
import type { RawQuery } from "./rawQuery.js"

/** Bytes that are read from a slow disk in a quarter of a second. */
const large = 16 * 1024 * 1024

export const isLarge = (filename: string): boolean => (statSync(filename, { throwIfNoEntry: false })?.size ?? 0) > large

const damaged = (filename: string, what: string | undefined) =>
  new StoreError({
    operation: "open the database",
    reason: "corrupt",
    cause: new Error(`${filename} is damaged: ${what}. Restore it from a backup, or move it away to begin anew.`)
  })

/** Fails when the file is damaged. */
export const refuse = (ask: RawQuery, filename: string): Effect.Effect<void, StoreError | SqlError> =>
  Effect.flatMap(ask<{ quick_check: string }>("PRAGMA quick_check(1)"), ([row]) =>
    row?.quick_check === "ok" ? Effect.void : damaged(filename, row?.quick_check)
  )

/** Its arguments: the driver, and the file. It answers with what is wrong, or `ok`; with nothing when it could not look. */
const program = `
  const [, driver, filename] = process.argv
  try {
    const database = new (require(driver))(filename, { readonly: true, timeout: 60_000 })
    process.stdout.write(database.pragma("quick_check(1)", { simple: true }))
  } catch (error) {
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(error.code)) process.stdout.write(error.message)
  }
`

/** The same by a process beside, which gives way to others; it is gone when this is interrupted. */
export const refuseBeside = (filename: string): Effect.Effect<void, StoreError> =>
  Effect.async<string>((resume) => {
    const driver = createRequire(import.meta.url).resolve("better-sqlite3")
    const child = spawn(process.execPath, ["--eval", program, driver, filename], {
      env: {},
      stdio: ["ignore", "pipe", "ignore"]
    })
    let answer = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (answer += text))
    child.on("error", () => resume(Effect.succeed("")))
    child.on("close", () => resume(Effect.succeed(answer)))
    try {
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    } catch {
      // It has ended already, or gives way to nobody.
    }
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.flatMap((answer) => {
      if (answer === "ok") return Effect.void
      return answer === ""
        ? Effect.logWarning(`${filename} could not be looked through for damage`)
        : damaged(filename, answer)
    })
  )
