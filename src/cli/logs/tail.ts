/**
 * Prints the logs of a job, and follows them.
 */
import { type File, FileSystem, Size } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Deferred, Effect, Option } from "effect"
import * as race from "../../internal/race.js"
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

/** Remembers how much of each file it has read. */
const reader = ({ directory, printer, wanted }: Options) => {
  const read = new Map<string, number>()

  const pieces = (file: LogFile.LogFile, handle: File): Effect.Effect<void, OutputClosed> =>
    Effect.gen(function* () {
      for (;;) {
        const at = read.get(file.path) ?? 0
        const bytes = yield* Effect.orElseSucceed(handle.readAlloc(pieceSize), Option.none)
        if (Option.isNone(bytes)) return
        read.set(file.path, at + bytes.value.length)
        yield* printer.print(file, bytes.value)
      }
    })

  return Effect.gen(function* () {
    const fs = yield* FileSystem
    for (const file of yield* LogFile.list(directory, wanted)) {
      const at = read.get(file.path) ?? 0
      if (file.size <= at) continue
      const opened = fs.open(file.path, { flag: "r" }).pipe(Effect.tap((handle) => handle.seek(Size(at), "start")))
      yield* Effect.scoped(
        Effect.flatMap(
          Effect.option(opened),
          Option.match({ onNone: () => Effect.void, onSome: (handle) => pieces(file, handle) })
        )
      )
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
