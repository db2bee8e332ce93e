/**
 * Whether a command is on this machine. It is looked for, never run.
 */
import { Effect } from "effect"
import { constants } from "node:fs"
import { access, stat } from "node:fs/promises"
import { join } from "node:path"

/** What the system looks through where there is no PATH. */
const defaultPath = "/bin:/usr/bin"

/** Parts of the PATH that depend on the working directory are left out: they would lead into the repository. */
export const isThere = (file: string, path = defaultPath): Effect.Effect<boolean> =>
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
