/**
 * The last lines of a section of a log file.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import type { Log } from "../../tasks/events.js"
import * as Terminal from "../terminal/text.js"

/** Enough for all lines that are shown. */
const maxBytes = 16 * 1024

/** Clean text; empty if the file cannot be read. */
export const read = (log: Log, lines: number): Effect.Effect<ReadonlyArray<string>, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = yield* fs.open(log.file, { flag: "r" })
    const to = Math.min(log.to, Number((yield* file.stat).size))
    const from = Math.max(log.from, to - maxBytes)
    if (to <= from) return []
    yield* file.seek(BigInt(from), "start")
    const bytes = yield* file.readAlloc(to - from)
    const text = new TextDecoder().decode(Option.getOrElse(bytes, () => new Uint8Array()))
    const all = Terminal.cleanLines(text)
    // The first line may be cut on its left.
    return (from === log.from ? all : all.slice(1)).slice(-lines).filter((line, index) => index > 0 || line !== "")
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => [])
  )
