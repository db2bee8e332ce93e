/**
 * Whether a command is installed on this machine; it is searched for, never run.
 */
import { Effect } from "effect"
import { constants } from "node:fs"
import { access, stat } from "node:fs/promises"
import { join } from "node:path"

/** The search path if PATH is not set. */
const defaultPath = "/bin:/usr/bin"

/** Relative entries of the PATH are skipped: they would resolve inside the repository. */
export const isInstalled = (file: string, path = defaultPath): Effect.Effect<boolean> =>
  file.includes("/")
    ? isExecutable(file)
    : Effect.reduce(
        path.split(":").filter((directory) => directory.startsWith("/")),
        false,
        (found, directory) => (found ? Effect.succeed(true) : isExecutable(join(directory, file)))
      )

const isExecutable = (path: string): Effect.Effect<boolean> =>
  Effect.promise(async () => {
    try {
      await access(path, constants.X_OK)
      return (await stat(path)).isFile()
    } catch {
      return false
    }
  })
