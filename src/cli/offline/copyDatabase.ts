/**
 * A copy of a database on a read-only disk or in a read-only directory: SQLite cannot read a database without writing beside it.
 */
import { Effect, type Scope } from "effect"
import { accessSync, chmodSync, constants, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { StoreError } from "../../domain/errors.js"

/** Whether only a copy can be read. */
export const isNeeded = (filename: string): boolean => {
  try {
    accessSync(dirname(filename), constants.W_OK)
    return false
  } catch {
    return true
  }
}

/** Copies the file, its WAL and its journal to a private directory that is removed with the scope. */
export const copyDatabase = (filename: string): Effect.Effect<string, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (cause: unknown) => new StoreError({ operation: "copy the database", reason: "other", cause })
    const directory = yield* Effect.acquireRelease(
      Effect.try({ try: () => mkdtempSync(join(tmpdir(), "charlotte-")), catch: failed }),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    )
    const copy = join(directory, basename(filename))
    yield* Effect.try({
      try: () => {
        for (const end of ["", "-wal", "-journal"]) {
          if (!existsSync(`${filename}${end}`)) continue
          copyFileSync(`${filename}${end}`, `${copy}${end}`, constants.COPYFILE_FICLONE)
          // The copy has the mode of the file.
          chmodSync(`${copy}${end}`, 0o600)
        }
      },
      catch: failed
    })
    return copy
  })
