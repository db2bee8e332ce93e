/**
 * Free space on disks.
 */
import { Context, Effect } from "effect"
import { statfs } from "node:fs/promises"

/** Free bytes on the disk of a directory; `Infinity` if unknown. */
export class FreeSpace extends Context.Reference<FreeSpace>()("charlotte/FreeSpace", {
  defaultValue: () => (directory: string) =>
    Effect.tryPromise(() => statfs(directory)).pipe(
      Effect.map(({ bavail, bsize }) => bavail * bsize),
      Effect.orElseSucceed(() => Infinity)
    )
}) {}

/** In bytes. The database's WAL grows by pages of 4 KiB, and a large commit takes hundreds of them. */
const minimum = 1024 * 1024

/** Whether nothing can be written on the disk of a directory, or hardly anything. */
export const isFull = (directory: string): Effect.Effect<boolean> =>
  Effect.flatMap(FreeSpace, (freeSpace) => Effect.map(freeSpace(directory), (free) => free < minimum))
