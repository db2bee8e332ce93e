/**
 * Checks for free disk space. The database cannot tell: a write that changes no page succeeds on a full disk.
 */
import { Context, Effect } from "effect"
import { statfs } from "node:fs/promises"

/** In bytes. The database's WAL grows by pages of 4 KiB, and a large commit takes hundreds of them. */
const minimum = 1024 * 1024

/** Free bytes on the disk of a directory; `Infinity` if unknown. */
export class FreeSpace extends Context.Reference<FreeSpace>()("charlotte/http/FreeSpace", {
  defaultValue: () => (directory: string) =>
    Effect.tryPromise(() => statfs(directory)).pipe(
      Effect.map(({ bavail, bsize }) => bavail * bsize),
      Effect.orElseSucceed(() => Infinity)
    )
}) {}

export const spaceProblems = (directory: string | undefined): Effect.Effect<ReadonlyArray<string>> =>
  directory === undefined
    ? Effect.succeed([])
    : Effect.gen(function* () {
        const freeSpace = yield* FreeSpace
        return (yield* freeSpace(directory)) < minimum ? [`the disk that holds ${directory} is full`] : []
      })
