/**
 * The last lines of a section of a log file.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import type { LogRange } from "../../progress/payload.js"
import * as Terminal from "../terminal/text.js"

/** Enough for all lines that are shown. */
const maxBytes = 16 * 1024

/** Clean text; empty if the file cannot be read. */
export const read = (
  { file: path, from: start = 0, to: end = Infinity }: LogRange,
  lines: number
): Effect.Effect<ReadonlyArray<string>, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = yield* fs.open(path, { flag: "r" })
    const to = Math.min(end, Number((yield* file.stat).size))
    const from = Math.max(start, to - maxBytes)
    if (to <= from) return []
    yield* file.seek(BigInt(from), "start")
    const bytes = yield* file.readAlloc(to - from)
    const text = new TextDecoder().decode(Option.getOrElse(bytes, () => new Uint8Array()))
    const all = Terminal.cleanLines(text)
    // The first line may be cut on its left.
    return (from === start ? all : all.slice(1)).slice(-lines).filter((line, index) => index > 0 || line !== "")
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => [])
  )
