/**
 * Makes files where a program that is not trusted may write: it may have put a link there, in whose target nothing may be written.
 */
import { Effect } from "effect"
import { type FileHandle, lstat, open, rm } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"

/**
 * Makes a new file for its owner, in place of what stands there; `x` follows no link that comes back meanwhile. A device, such as
 * `/dev/null`, is opened as it is: only root could make one.
 */
export const createFile = async (path: string): Promise<FileHandle> => {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isCharacterDevice() === true || found?.isBlockDevice() === true) return open(path, "r+")
  await rm(path, { force: true, recursive: true })
  return open(path, "wx+", 0o600)
}

/**
 * Removes what is no directory, such as a link to one, on the way from a directory to a file below it; returns its path. What cannot be
 * removed stays: the file cannot be made there.
 */
export const removeDetour = (top: string, file: string): Effect.Effect<string | undefined> =>
  Effect.orElseSucceed(
    Effect.tryPromise(async () => {
      let path = top
      for (const name of ["", ...relative(top, dirname(file)).split(sep)]) {
        path = join(path, name)
        if ((await lstat(path)).isDirectory()) continue
        await rm(path)
        return path
      }
      return undefined
    }),
    () => undefined
  )
