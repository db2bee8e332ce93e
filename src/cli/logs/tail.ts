/**
 * Prints the logs of a job, and follows them.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Deferred, Effect } from "effect"
import * as race from "../../internal/race.js"
import * as OutputReader from "../../process/OutputReader.js"
import type { OutputClosed } from "../terminal/Output.js"
import * as LogFile from "./LogFile.js"
import type { Printer } from "./Printer.js"

/** File growth is polled. */
const interval = "200 millis"

export interface Options {
  readonly directory: string
  readonly wanted: LogFile.Selection
  readonly printer: Printer
}

/** Remembers how much of each log it has read. */
export const reader = ({ directory, printer, wanted }: Options) => {
  const positions = new Map<string, OutputReader.Position>()

  const printNext = (file: LogFile.LogFile) =>
    Effect.gen(function* () {
      const piece = yield* OutputReader.next(file, positions.get(file.path) ?? OutputReader.positionAt(0))
      if (piece === undefined) return false
      positions.set(file.path, piece.position)
      yield* printer.print(file, piece.bytes)
      return true
    })

  return Effect.gen(function* () {
    for (const file of yield* LogFile.list(directory, wanted))
      if (file.size > 0) yield* Effect.repeat(printNext(file), { while: (more) => more })
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
