/**
 * Prints the logs of a job, and follows them.
 */
import { FileSystem, Size } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Deferred, Effect, Option } from "effect"
import * as race from "../../internal/race.js"
import * as OutputFile from "../../process/OutputFile.js"
import type { OutputClosed } from "../terminal/Output.js"
import * as LogFile from "./LogFile.js"
import type { Printer } from "./Printer.js"

/** Bytes of one read. */
const pieceSize = 64 * 1024

/** File growth is polled. */
const interval = "200 millis"

export interface Options {
  readonly directory: string
  readonly wanted: LogFile.Selection
  readonly printer: Printer
}

/** How far a log was read. */
interface Position {
  /** In bytes of the output; once the log is complete, of the file. */
  readonly at: number
  /** How much is in the head, if output was read that is not; it will be put behind the head in the end. */
  readonly head: number | undefined
}

/** Remembers how much of each log it has read. */
export const reader = ({ directory, printer, wanted }: Options) => {
  const positions = new Map<string, Position>()

  /** Prints a file from one offset to another, or to its end; answers how much that was. */
  const print = (file: LogFile.LogFile, path: string, from: number, to: number) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem
      const handle = yield* Effect.option(fs.open(path, { flag: "r" }))
      if (Option.isNone(handle)) return 0
      yield* Effect.ignore(handle.value.seek(Size(from), "start"))
      let at = from
      while (at < to) {
        const piece = handle.value.readAlloc(Math.min(pieceSize, to - at))
        const bytes = yield* Effect.orElseSucceed(piece, Option.none)
        if (Option.isNone(bytes)) break
        at += bytes.value.length
        yield* printer.print(file, bytes.value)
      }
      return at - from
    }).pipe(Effect.scoped)

  /** Output that goes on in other files. */
  const readTail = (file: LogFile.LogFile, start: number) =>
    Effect.gen(function* () {
      let at = start
      for (const { from, head, path } of file.tail) {
        if (at < head) at += yield* print(file, file.path, at, head)
        if (at < from) yield* printer.print(file, Buffer.from(OutputFile.marker(from - at)))
        at = Math.max(at, from)
        at += yield* print(file, path, at - from, Infinity)
        positions.set(file.path, { at, head })
      }
    })

  /** Where in a complete log the output continues that was read up to a position. */
  const offsetOf = (file: LogFile.LogFile, { at, head }: Position) =>
    Effect.gen(function* () {
      if (head === undefined) return at
      const fs = yield* FileSystem
      const handle = yield* fs.open(file.path, { flag: "r" })
      yield* handle.seek(Size(head), "start")
      const bytes = Option.getOrElse(yield* handle.readAlloc(OutputFile.markerSize), () => new Uint8Array())
      const { length, omitted } = OutputFile.markedAt(Buffer.from(bytes).toString("latin1"))
      return at < head + omitted ? head : at - omitted + length
    }).pipe(
      Effect.scoped,
      Effect.orElseSucceed(() => at)
    )

  return Effect.gen(function* () {
    for (const file of yield* LogFile.list(directory, wanted)) {
      const position = positions.get(file.path) ?? { at: 0, head: undefined }
      if (file.tail.length > 0) yield* readTail(file, position.at)
      else {
        const from = yield* offsetOf(file, position)
        if (from < file.size) {
          const at = from + (yield* print(file, file.path, from, Infinity))
          positions.set(file.path, { at, head: undefined })
        }
      }
    }
  })
}

/** Prints what is there. */
export const all = (options: Options): Effect.Effect<void, OutputClosed, FileSystem | Path> =>
  Effect.zipRight(reader(options), options.printer.end)

/** Prints what is there and what is added, until the effect completes. */
export const follow = <E, R>(options: Options, over: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<void, E>()
    yield* Effect.forkScoped(Effect.intoDeferred(Effect.asVoid(over), ended))
    const read = reader(options)
    // The last read comes after the end, so that nothing printed before it is missed.
    while (!(yield* Deferred.isDone(ended))) {
      yield* read
      yield* race.first([Effect.ignore(Deferred.await(ended)), Effect.sleep(interval)])
    }
    yield* Effect.zipRight(read, options.printer.end)
    yield* Deferred.await(ended)
  }).pipe(Effect.scoped)
