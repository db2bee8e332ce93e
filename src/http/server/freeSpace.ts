/**
 * Whether the disk has room for what jobs write. A write that changes no page of the database does not notice a full disk.
 */
import { Context, Effect } from "effect"
import { statfs } from "node:fs/promises"

/** Bytes: the log of the database grows by pages of 4 KiB, and a commit of many events takes hundreds of them. */
const minimum = 1024 * 1024

/** How many bytes a user may still write to the disk of a directory; infinitely many where that is not known. */
export class FreeSpace extends Context.Reference<FreeSpace>()("charlotte/http/FreeSpace", {
  defaultValue: () => (directory: string) =>
    Effect.tryPromise(() => statfs(directory)).pipe(
      Effect.map(({ bavail, bsize }) => bavail * bsize),
      Effect.orElseSucceed(() => Infinity)
    )
}) {}

/** What keeps the server from being ready. */
export const spaceProblems = (directory: string | undefined): Effect.Effect<ReadonlyArray<string>> =>
  directory === undefined
    ? Effect.succeed([])
    : Effect.gen(function* () {
        const freeSpace = yield* FreeSpace
        return (yield* freeSpace(directory)) < minimum ? [`the disk that holds ${directory} is full`] : []
      })
