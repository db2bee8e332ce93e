/**
 * Sources of a job's logs: the directory of the home, or a server, if logs may be on other machines.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { type Duration, Effect, Option, Predicate, Stream } from "effect"
import type { JobId } from "../../domain/JobId.js"
import type { Service as JobClient } from "../../http/client/JobClient.js"
import { listOutputs } from "../../process/listOutputs.js"
import * as OutputReader from "../../process/OutputReader.js"
import * as LogFile from "./LogFile.js"

export interface LogSource<E = never, R = never> {
  /** How often to poll for more. */
  readonly interval: Duration.DurationInput
  /** Whether the failure may be temporary, as while a daemon restarts. */
  readonly isAway: (error: unknown) => boolean
  readonly list: (wanted: LogFile.Selection) => Effect.Effect<ReadonlyArray<LogFile.LogFile>, E, R>
  /** The content of a file after a position. */
  readonly read: (file: LogFile.LogFile, from: OutputReader.Position) => Stream.Stream<OutputReader.Piece, E>
}

/** The files below a directory. */
export const ofDirectory = (directory: string): LogSource<never, FileSystem> => ({
  interval: "200 millis",
  isAway: () => false,
  list: (wanted) => Effect.map(listOutputs(directory), (files) => LogFile.select(files, wanted)),
  read: (file, from) =>
    Stream.unfoldEffect(from, (position) =>
      Effect.map(OutputReader.next(file, position), (piece) =>
        Option.map(Option.fromNullable(piece), (piece) => [piece, piece.position] as const)
      )
    )
})

const away = ["ConnectionFailed", "DaemonNotRunning", "ShuttingDown"]

/** The logs of a server, which also requests them from other nodes. */
export const ofServer = (
  { log, logFiles }: Pick<JobClient, "log" | "logFiles">,
  id: JobId
): LogSource<
  Effect.Effect.Error<ReturnType<JobClient["logFiles"]>> | Stream.Stream.Error<ReturnType<JobClient["log"]>>
> => ({
  interval: "1 second",
  isAway: (error) => away.some((tag) => Predicate.isTagged(error, tag)),
  list: (wanted) =>
    Effect.map(logFiles(id), (files) =>
      LogFile.select(
        files.map(({ at, file, size }) => ({
          path: file,
          name: file.slice(id.length + 1),
          size,
          at: at.epochMillis,
          tail: []
        })),
        wanted
      )
    ),
  read: ({ path: file, size }, { at }) =>
    size <= at
      ? Stream.empty
      : Stream.mapAccum(log(id, { file, from: at }), at, (before, bytes) => {
          const position = OutputReader.positionAt(before + bytes.length)
          return [position.at, { bytes, position }]
        })
})
