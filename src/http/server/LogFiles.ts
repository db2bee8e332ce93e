/**
 * Logs of jobs: pieces of files below one directory, and of no other.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Boolean, Chunk, Effect, Option, Schema, Stream } from "effect"
import { isAbsolute, relative, resolve, sep } from "node:path"
import { JobNotFound, type StoreError } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import * as race from "../../internal/race.js"
import type { RunStore } from "../../store/RunStore.js"
import { InvalidQuery, LogNotFound } from "../contract/errors.js"
import { cutShort, type Service as Streams } from "./OpenStreams.js"
import { awaitTurn } from "./pipelining.js"

/** What is asked for. */
export interface Query {
  readonly unit?: string | undefined
  readonly task?: number | undefined
  readonly file?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly follow?: boolean | undefined
}

/** Bytes that are read at once. */
const pieceSize = 64 * 1024

/** How often a file that is followed is looked at: files tell nobody when they grow. */
const interval = "250 millis"

/** Events that are read at once, to find the files that they name. */
const pageSize = 256

export const make = (options: {
  readonly kind: string
  /** The directory; there are no logs without one. */
  readonly directory: string | undefined
  readonly store: RunStore["Type"]
  readonly streams: Streams
}) =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const { directory, kind, store, streams } = options

    /** The file that an event of the task names last. */
    const latest = (
      jobId: JobId,
      { task, unit }: OfTask
    ): Effect.Effect<Option.Option<string>, JobNotFound | StoreError> => {
      const search = (after: number, found: Option.Option<string>): ReturnType<typeof latest> =>
        Effect.flatMap(store.events({ kind, jobId, after, limit: pageSize }), (page) => {
          if (Option.isNone(page)) return new JobNotFound({ jobId })
          const { events, more } = page.value
          const named = events.map((event) =>
            event.unit === unit && event.task === task ? fileOf(event) : Option.none()
          )
          const next = Option.orElse(Option.firstSomeOf(named.reverse()), () => found)
          const last = events.at(-1)
          return !more || last === undefined ? Effect.succeed(next) : search(last.seq, next)
        })
      return search(0, Option.none())
    }

    /** The file behind a name, if it is a plain one below the directory: no way around that, neither by `..` nor by a link. */
    const permitted = (name: string): Effect.Effect<Option.Option<string>> =>
      Effect.gen(function* () {
        if (directory === undefined) return Option.none()
        const top = yield* fs.realPath(directory)
        const file = yield* fs.realPath(resolve(top, name))
        const below = relative(top, file)
        const inside = below !== "" && below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below)
        return inside && (yield* fs.stat(file)).type === "File" ? Option.some(file) : Option.none()
      }).pipe(Effect.orElseSucceed(Option.none))

    /** Whether nothing more comes. A log that cannot be read is over. */
    const isOver = (jobId: JobId, about: OfTask | undefined): Effect.Effect<boolean, StoreError> =>
      Effect.gen(function* () {
        const run = yield* store.get(jobId)
        if (Option.isNone(run) || run.value.status !== "running") return true
        if (about === undefined) return false
        const { tasks } = yield* store.work.of(jobId)
        return tasks.some(({ state, task, unit }) => unit === about.unit && task === about.task && state !== "running")
      })

    /** The bytes of a file up to `to`; at its end they wait for the next ones, as long as there may be `more`. */
    const read = (file: FileSystem.File, from: number, to: number, more: Effect.Effect<boolean, StoreError>) =>
      Stream.unwrap(
        Effect.as(
          file.seek(FileSystem.Size(from), "start"),
          Stream.paginateChunkEffect(from, (at) =>
            Effect.gen(function* () {
              // First, whether there will be more, and then what there is: in this order nothing is missed.
              const goesOn = yield* more
              const bytes = yield* file.readAlloc(Math.min(pieceSize, to - at))
              if (Option.isSome(bytes)) return [Chunk.of(bytes.value), Option.some(at + bytes.value.length)] as const
              if (goesOn && at < to) yield* race.first([Effect.sleep(interval), streams.closed])
              return [Chunk.empty<Uint8Array>(), goesOn && at < to ? Option.some(at) : Option.none()] as const
            })
          )
        )
      )

    return (request: HttpServerRequest, jobId: JobId, query: Query) =>
      Effect.gen(function* () {
        const { file: name, follow = false, from = 0, task, to = Number.MAX_SAFE_INTEGER, unit } = query
        const about = unit === undefined || task === undefined ? undefined : { task, unit }
        const run = yield* store.get(jobId)
        if (Option.isNone(run) || run.value.kind !== kind) return yield* new JobNotFound({ jobId })
        if (name === undefined && about === undefined) {
          return yield* new InvalidQuery({ parameter: "unit", problem: "give a unit and a task, or a file" })
        }
        if (to < from) return yield* new InvalidQuery({ parameter: "to", problem: "must not be before from" })
        const notFound = new LogNotFound({ jobId, log: name ?? `task ${task} of unit ${unit}` })
        const named =
          name === undefined && about !== undefined ? yield* latest(jobId, about) : Option.fromNullable(name)
        const path = yield* Effect.flatMap(named, permitted).pipe(
          Effect.flatten,
          Effect.mapError(() => notFound)
        )

        yield* awaitTurn(request)
        const file = yield* Effect.mapError(fs.open(path), () => notFound)
        const size = Number((yield* Effect.mapError(file.stat, () => notFound)).size)
        if (follow) yield* streams.open(request)
        const going = Effect.flatMap(isOver(jobId, about), (over) =>
          over ? Effect.succeed(false) : Effect.map(streams.hasClosed, Boolean.not)
        )
        const bytes = read(
          file,
          from,
          follow ? to : Math.max(from, Math.min(to, size)),
          follow ? going : Effect.succeed(false)
        )
        return HttpServerResponse.stream(cutShort(bytes), {
          contentType: "text/plain; charset=utf-8",
          headers: { "cache-control": "no-store" }
        })
      })
  })

interface OfTask {
  readonly unit: string
  readonly task: number
}

const Naming = Schema.Struct({ log: Schema.Union(Schema.String, Schema.Struct({ file: Schema.String })) })
const decode = Schema.decodeUnknownOption(Naming)

const fileOf = ({ payload }: JobEvent): Option.Option<string> =>
  Option.map(decode(payload), ({ log }) => (typeof log === "string" ? log : log.file))
