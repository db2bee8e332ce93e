/**
 * The output files of processes below a directory.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, Effect, Option } from "effect"
import { join } from "node:path"
import * as OutputReader from "./OutputReader.js"

export interface OutputOnDisk extends OutputReader.Output {
  /** Its path in the directory. */
  readonly name: string
  /** In bytes, of the output kept so far. */
  readonly size: number
  /** When it was last written to, in milliseconds. */
  readonly at: number
}

/** None if the directory does not exist yet. Files that disappear meanwhile are left out. */
export const listOutputs = (directory: string): Effect.Effect<ReadonlyArray<OutputOnDisk>, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const names = yield* Effect.orElseSucceed(fs.readDirectory(directory, { recursive: true }), () => [])
    const tails = OutputReader.tailsAmong(names.map((name) => join(directory, name)))
    const found = yield* Effect.forEach(
      names.filter((name) => name.endsWith(".log")),
      (name) =>
        Effect.option(
          Effect.gen(function* () {
            const output = { path: join(directory, name), tail: tails.get(join(directory, name)) ?? [] }
            const { mtime, size, type } = yield* fs.stat(output.path)
            const whole = output.tail.length === 0 ? undefined : yield* OutputReader.size(output)
            return {
              ...output,
              name,
              size: type === "File" ? (whole ?? Number(size)) : 0,
              at: Option.match(mtime, { onNone: () => 0, onSome: (mtime) => mtime.getTime() })
            }
          })
        )
    )
    return Array.getSomes(found)
  })
