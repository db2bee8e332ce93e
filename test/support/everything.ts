import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"

type Entry = readonly [name: string, mode: number, mtime: number, content: string]

/**
 * All that is below a directory: names, modes and contents, and when files were changed. Of a database's shared memory only
 * that it is there, since whoever reads the database has his place in it.
 */
export const everything = (directory: string): ReadonlyArray<Entry> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name): Entry => {
      const path = join(directory, name)
      const stats = lstatSync(path)
      if (stats.isSymbolicLink()) return [name, stats.mode, stats.mtimeMs, readlinkSync(path)]
      if (!stats.isFile() || name.endsWith("-shm")) return [name, stats.mode, 0, ""]
      return [name, stats.mode, stats.mtimeMs, readFileSync(path, "latin1")]
    })
