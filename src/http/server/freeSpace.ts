/**
 * Checks for free disk space. The database cannot tell: a write that changes no page succeeds on a full disk.
 */
import { Effect } from "effect"
import { isFull } from "../../process/FreeSpace.js"

export const spaceProblems = (directory: string | undefined): Effect.Effect<ReadonlyArray<string>> =>
  directory === undefined
    ? Effect.succeed([])
    : Effect.map(isFull(directory), (isFull) => (isFull ? [`the disk that holds ${directory} is full`] : []))
