/**
 * Serves ranges of log files, only from below one directory, and logs on other nodes of a cluster.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Boolean, Chunk, DateTime, Effect, Option, Order, type Redacted, Schema, Scope, Stream } from "effect"
import { isAbsolute, join, relative, resolve, sep } from "node:path"
import { JobNotFound, type StoreError } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import * as Later from "../../internal/Later.js"
import * as race from "../../internal/race.js"
import { listOutputs } from "../../process/listOutputs.js"
import * as OutputReader from "../../process/OutputReader.js"
import { InvalidQuery, LogNotFound } from "../contract/errors.js"
import { JobLog } from "../contract/Job.js"
import type { Service as Managers } from "./Managers.js"
import { isFromNode, type Range } from "./nodeRequest.js"
import { endOnError, type Service as OpenStreams } from "./OpenStreams.js"
import { awaitTurn } from "./pipelining.js"

export interface Query {
  readonly unit?: string | undefined
  readonly task?: number | undefined
  readonly file?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly follow?: boolean | undefined
}

/** How often a followed file is polled for more bytes. */
const pollInterval = "250 millis"

const end = [Chunk.empty<Uint8Array>(), Option.none<OutputReader.Position>()] as const

/** Events per page when searching for the file of a task. */
const pageSize = 256

export const make = (options: {
  readonly managers: Managers
  /** The token of all nodes, for logs on other nodes. */
  readonly token: Redacted.Redacted | undefined
  /** Without it, every request fails with `LogNotFound`. */
  readonly directory: string | undefined
  readonly streams: OpenStreams
}) =>
  Effect.gen(function* () {
    const { directory, managers, streams, token } = options
    const { store } = managers
    const fs = yield* FileSystem.FileSystem
    const scope = yield* Effect.scope
    // Most servers have all logs themselves.
    const elsewhere = yield* Later.make(
      Effect.flatMap(
        Effect.promise(() => import("./NodeLogs.js")),
        ({ make }) => Scope.extend(make(store, token), scope)
      )
    )
    const isShared = (request: HttpServerRequest) => store.childProcesses.spansMachines && !isFromNode(request)

    /** The file named by the latest event of the task. */
    const latest = (
      { id: jobId, kind }: Run,
      { task, unit }: TaskRef
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

    /** Resolves a name to a regular file below the directory; neither `..` nor a symbolic link leads outside. */
    const resolveFile = (name: string): Effect.Effect<Option.Option<string>> =>
      Effect.gen(function* () {
        if (directory === undefined) return Option.none()
        const top = yield* fs.realPath(directory)
        const file = yield* fs.realPath(resolve(top, name))
        const path = relative(top, file)
        const isInside = path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path)
        return isInside && (yield* fs.stat(file)).type === "File" ? Option.some(file) : Option.none()
      }).pipe(Effect.orElseSucceed(Option.none))

    /** Whether the log is complete. */
    const isComplete = (jobId: JobId, about: TaskRef | undefined): Effect.Effect<boolean, StoreError> =>
      Effect.gen(function* () {
        const run = yield* store.get(jobId)
        if (Option.isNone(run) || run.value.status !== "running") return true
        if (about === undefined) return false
        const { tasks } = yield* store.work.of(jobId)
        return tasks.some(({ state, task, unit }) => unit === about.unit && task === about.task && state !== "running")
      })

    /** Reads the output between two offsets. At its end, polls for more as long as `more` is true. */
    const read = (path: string, from: number, to: number, more: Effect.Effect<boolean, StoreError>) =>
      Stream.paginateChunkEffect(OutputReader.positionAt(from), (position) =>
        Effect.gen(function* () {
          if (position.at >= to) return end
          // Checked before reading, so that bytes written in between are not missed.
          const mayGrow = yield* more
          const output = yield* OutputReader.find(path)
          const piece = yield* OutputReader.next(output, position, to - position.at)
          if (piece !== undefined) return [Chunk.of(piece.bytes), Option.some(piece.position)] as const
          if (!mayGrow) return end
          yield* race.first([Effect.sleep(pollInterval), streams.closed])
          return [Chunk.empty<Uint8Array>(), Option.some(position)] as const
        })
      )

    /** The run, if its kind is served. */
    const served = (jobId: JobId) =>
      Effect.flatMap(store.get(jobId), (run) =>
        Option.isSome(run) && managers.all.some(({ kind }) => kind === run.value.kind)
          ? Effect.succeed(run.value)
          : new JobNotFound({ jobId })
      )

    const plain = (bytes: Stream.Stream<Uint8Array, StoreError>) =>
      HttpServerResponse.stream(endOnError(bytes), {
        contentType: "text/plain; charset=utf-8",
        headers: { "cache-control": "no-store" }
      })

    const fromElsewhere = (request: HttpServerRequest, run: Run, name: string, range: Range) =>
      Effect.gen(function* () {
        const bytes = yield* (yield* elsewhere.get).read(run, name, range)
        if (bytes === undefined) return undefined
        yield* awaitTurn(request)
        if (range.follow) yield* streams.open(request)
        return plain(bytes)
      })

    const get = (request: HttpServerRequest, jobId: JobId, query: Query) =>
      Effect.gen(function* () {
        const { file: name, follow = false, from = 0, task, to = Number.MAX_SAFE_INTEGER, unit } = query
        const about = unit === undefined || task === undefined ? undefined : { task, unit }
        const run = yield* served(jobId)
        if (name === undefined && about === undefined) {
          return yield* new InvalidQuery({
            parameter: "unit",
            problem: "required together with task, unless file is set"
          })
        }
        if (to < from) return yield* new InvalidQuery({ parameter: "to", problem: "must not be less than from" })
        const notFound = new LogNotFound({ jobId, log: name ?? `task ${task} of unit ${unit}` })
        const named = name === undefined && about !== undefined ? yield* latest(run, about) : Option.fromNullable(name)
        if (Option.isNone(named)) return yield* notFound
        const path = Option.getOrUndefined(yield* resolveFile(named.value))
        if (path === undefined && isShared(request)) {
          const response = yield* fromElsewhere(request, run, named.value, { from, to, follow })
          if (response !== undefined) return response
        }
        if (path === undefined) return yield* notFound

        yield* awaitTurn(request)
        const size = yield* Effect.flatMap(OutputReader.find(path), OutputReader.size)
        if (size === undefined) return yield* notFound
        if (follow) yield* streams.open(request)
        const mayGrow = Effect.flatMap(isComplete(jobId, about), (complete) =>
          complete ? Effect.succeed(false) : Effect.map(streams.hasClosed, Boolean.not)
        )
        return plain(
          follow ? read(path, from, to, mayGrow) : read(path, from, Math.min(to, size), Effect.succeed(false))
        )
      })

    const list = (request: HttpServerRequest, jobId: JobId) =>
      Effect.gen(function* () {
        const run = yield* served(jobId)
        const found = directory === undefined ? [] : yield* listOutputs(join(directory, jobId))
        const own = found.map(
          ({ at, name, size }) => new JobLog({ file: `${jobId}/${name}`, size, at: DateTime.unsafeMake(at) })
        )
        if (!isShared(request)) return own.sort(byTime)
        const { others } = yield* elsewhere.get
        return [...own, ...(yield* others(run, new Set(own.map(({ file }) => file))))].sort(byTime)
      }).pipe(Effect.provideService(FileSystem.FileSystem, fs))

    return { get, list }
  })

/** By the time of the last write. */
const byTime = Order.combine(
  Order.mapInput(DateTime.Order, ({ at }: JobLog) => at),
  Order.mapInput(Order.string, ({ file }: JobLog) => file)
)

interface TaskRef {
  readonly unit: string
  readonly task: number
}

const LogPayload = Schema.Struct({ log: Schema.Union(Schema.String, Schema.Struct({ file: Schema.String })) })
const decode = Schema.decodeUnknownOption(LogPayload)

const fileOf = ({ payload }: JobEvent): Option.Option<string> =>
  Option.map(decode(payload), ({ log }) => (typeof log === "string" ? log : log.file))
