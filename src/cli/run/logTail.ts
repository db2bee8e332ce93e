/**
 * The last lines of a section of a log file.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import * as agentRecords from "../../progress/agentRecords.js"
import type { LogRange } from "../../progress/payload.js"
import * as Terminal from "../terminal/text.js"

/** Enough for all lines that are shown. */
const maxBytes = 16 * 1024

/** The text of a record of an agent, or a clean line. */
const readable = (line: string): ReadonlyArray<string> =>
  agentRecords.readable(line)?.map((line) => line.map(({ text }) => text).join("")) ?? [
    Terminal.cleanLines(line).join(" ")
  ]

/** The last part of a section of a file, from the start of a line; empty if it cannot be read. */
const end = ({ file: path, from: start = 0, to: end = Infinity }: LogRange): Effect.Effect<string, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const file = yield* fs.open(path, { flag: "r" })
    const to = Math.min(end, Number((yield* file.stat).size))
    const from = Math.max(start, to - maxBytes)
    if (to <= from) return ""
    yield* file.seek(BigInt(from), "start")
    const bytes = yield* file.readAlloc(to - from)
    const text = new TextDecoder().decode(Option.getOrElse(bytes, () => new Uint8Array()))
    // The first line may be cut on its left.
    return from === start ? text : text.slice(text.indexOf("\n") + 1)
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => "")
  )

/** Clean text; empty if the file cannot be read. */
export const read = (log: LogRange, lines: number): Effect.Effect<ReadonlyArray<string>, never, FileSystem> =>
  Effect.map(end(log), (text) => {
    const all = text.split("\n").flatMap(readable)
    while (all.at(-1) === "") all.pop()
    return all.slice(-lines).filter((line, index) => index > 0 || line !== "")
  })

/** The last tool that an agent has used, or the last line of what it has said. */
export const latest = (log: LogRange): Effect.Effect<string | undefined, never, FileSystem> =>
  Effect.map(end(log), agentRecords.latest)
