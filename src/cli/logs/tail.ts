/**
 * Prints the logs of a job, and follows them.
 */
import { Deferred, Effect, Stream } from "effect"
import * as background from "../../internal/background.js"
import * as race from "../../internal/race.js"
import * as OutputReader from "../../process/OutputReader.js"
import type { OutputClosed } from "../terminal/Output.js"
import type * as LogFile from "./LogFile.js"
import type { LogSource } from "./LogSource.js"
import type { Printer } from "./Printer.js"

export interface Options<E, R> {
  readonly source: LogSource<E, R>
  readonly wanted: LogFile.Selection
  readonly printer: Printer
}

/** An effect that prints what was added since its last run. */
export const reader = <E, R>({ printer, source, wanted }: Options<E, R>): Effect.Effect<void, E | OutputClosed, R> => {
  const positions = new Map<string, OutputReader.Position>()

  const printRest = (file: LogFile.LogFile) =>
    Stream.runForEach(
      Stream.suspend(() => source.read(file, positions.get(file.path) ?? OutputReader.positionAt(0))),
      ({ bytes, position }) => {
        positions.set(file.path, position)
        return printer.print(file, bytes)
      }
    )

  return Effect.flatMap(
    Effect.suspend(() => source.list(wanted)),
    Effect.forEach((file) => (file.size > 0 ? printRest(file) : Effect.void), { discard: true })
  )
}

/** Prints the existing output. */
export const all = <E, R>(options: Options<E, R>): Effect.Effect<void, E | OutputClosed, R> =>
  Effect.zipRight(reader(options), options.printer.end)

/** Prints existing and new output, until the effect completes. */
export const follow = <E, R, E2, R2>(options: Options<E2, R2>, over: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<void, E>()
    yield* background.fork(Effect.intoDeferred(Effect.asVoid(over), ended))
    const read = reader(options)
    yield* Effect.catchIf(read, options.source.isAway, () => Effect.void)
    yield* options.printer.catchUp
    // The last read comes after the end, so that nothing printed before it is missed.
    while (!(yield* Deferred.isDone(ended))) {
      yield* Effect.catchIf(read, options.source.isAway, () => Effect.void)
      yield* race.first([Effect.ignore(Deferred.await(ended)), Effect.sleep(options.source.interval)])
    }
    yield* Effect.zipRight(read, options.printer.end)
    yield* Deferred.await(ended)
  }).pipe(Effect.scoped)
