/**
 * Logs that other nodes of a cluster have. The node that wrote a log is asked for it over HTTP, with the token that all nodes share;
 * when it is gone, the end of the output that is recorded stands for it. A node that is asked by another one asks no third.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Either, Redacted, Schema, type Scope, Stream } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RecordedLog } from "../../store/ChildProcessStore.js"
import type { Reads } from "../../store/Runs.js"
import * as ClientError from "../client/ClientError.js"
import { JobLog } from "../contract/Job.js"
import { nodeHeader, type Range } from "./nodeRequest.js"

/** For the beginning of a response. */
const patience = "5 seconds"

/** The name of a log in the directory of logs of any machine: `JOB/…`. */
export const nameOf = (jobId: JobId, path: string): string => path.slice(path.lastIndexOf(`${jobId}/`))

/** The part of a machine's name that people know it by. */
const hostOf = ({ machine = "another machine" }: RecordedLog): string => machine.split("/", 1)[0] ?? machine

/** What stands for a log that cannot be read any more. */
const remains = (log: RecordedLog, reason: string): Buffer => {
  const end =
    log.tail === undefined
      ? ", and its end is not recorded"
      : "; this is what is recorded of it, the last 16 KiB at most:"
  return Buffer.from(
    `[charlotte: the log is on ${hostOf(log)}, which cannot be reached (${reason})${end}]\n${log.tail ?? ""}`
  )
}

const lost = (log: RecordedLog): Buffer =>
  Buffer.from(`\n[charlotte: the connection to ${hostOf(log)}, which has the rest of the log, was lost]\n`)

export interface Service {
  /** The log of that name, if another machine has or had it. */
  readonly read: (
    run: Run,
    name: string,
    range: Range
  ) => Effect.Effect<Stream.Stream<Uint8Array> | undefined, StoreError, Scope.Scope>
  /** Those logs of a job that are not among the given names. */
  readonly others: (run: Run, own: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<JobLog>, StoreError, Scope.Scope>
}

const decodeLogs = Schema.decodeUnknownEither(Schema.parseJson(Schema.Array(JobLog)))

export const make = (store: Reads, token: Redacted.Redacted | undefined): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* Effect.provideServiceEffect(
      NodeHttpClient.make,
      NodeHttpClient.HttpAgent,
      NodeHttpClient.makeAgent({ keepAlive: false })
    )
    const scoped = HttpClient.withScope(client)

    /** What a node answers to a request for the logs of a job, or why it does not. */
    const get = (url: string, id: JobId, path: string, urlParams: Readonly<Record<string, string>>) =>
      Effect.gen(function* () {
        const request = HttpClientRequest.get(`${url}/api/v1/jobs/${id}/logs${path}`, { urlParams }).pipe(
          HttpClientRequest.bearerToken(token ?? Redacted.make("")),
          HttpClientRequest.setHeader(nodeHeader, "1")
        )
        const response = yield* Effect.mapError(
          scoped.execute(request),
          (error) => ClientError.translate(url)(error).message
        )
        return response.status === 200 ? response : yield* Effect.fail(`${url} answers ${response.status}`)
      })

    const limited = (url: string) =>
      Effect.timeoutFail({ duration: patience, onTimeout: () => `${url} has not responded for ${patience}` })

    /** What one of the nodes of a machine answers, or why none does. */
    const ask = (
      { id, kind }: Pick<Run, "id" | "kind">,
      machine: string | undefined,
      request: (url: string, id: JobId) => Effect.Effect<HttpClientResponse, string, Scope.Scope>
    ): Effect.Effect<Either.Either<HttpClientResponse, string>, StoreError, Scope.Scope> =>
      Effect.gen(function* () {
        const nodes = (yield* store.cluster.nodes(kind)).filter((node) => node.isAlive && node.machine === machine)
        if (nodes.length === 0) return Either.left("no node runs there")
        if (token === undefined) return Either.left("this server has no token of the nodes")
        let problem = "its node has no URL"
        for (const { url } of nodes) {
          if (url === undefined) continue
          const answer = yield* Effect.either(request(url, id))
          if (Either.isRight(answer)) return answer
          problem = answer.left
          yield* Effect.logWarning(`a node could not be asked for a log: ${problem}`)
        }
        return Either.left(problem)
      })

    const list = (url: string, id: JobId) => limited(url)(get(url, id, "/files", {}))

    const logsOf = (id: JobId) => store.childProcesses.logs(id)

    return {
      read: (run, name, { follow, from, to }) =>
        Effect.gen(function* () {
          const wanted = nameOf(run.id, name)
          const log = (yield* logsOf(run.id)).findLast(({ log }) => nameOf(run.id, log) === wanted)
          if (log === undefined) return undefined
          const range = { file: wanted, from: String(from), to: String(to) }
          const answer = yield* ask(run, log.machine, (url, id) =>
            follow
              ? // The response begins with the first byte of the output, which may take any time.
                Effect.zipRight(list(url, id), get(url, id, "", { ...range, follow: "true" }))
              : limited(url)(get(url, id, "", range))
          )
          return Either.match(answer, {
            onLeft: (reason) => Stream.make<[Uint8Array]>(remains(log, reason).subarray(from, to)),
            onRight: ({ stream }) =>
              Stream.catchAll(stream, (error) =>
                Stream.execute(Effect.logWarning("the log of another node is cut off", error)).pipe(
                  Stream.concat(Stream.make<[Uint8Array]>(lost(log)))
                )
              )
          })
        }),

      others: (run, own) =>
        Effect.gen(function* () {
          const missing = new Map(
            (yield* logsOf(run.id)).flatMap((log): ReadonlyArray<readonly [string, RecordedLog]> => {
              const name = nameOf(run.id, log.log)
              return own.has(name) ? [] : [[name, log]]
            })
          )
          const found = new Map<string, JobLog>()
          const reasons = new Map<string | undefined, string>()
          for (const machine of new Set([...missing.values()].map(({ machine }) => machine))) {
            const answer = yield* ask(run, machine, list)
            const listed: Either.Either<ReadonlyArray<JobLog>, string> = Either.isLeft(answer)
              ? Either.left(answer.left)
              : Either.mapLeft(
                  decodeLogs(yield* Effect.orElseSucceed(answer.right.text, () => "")),
                  () => "its answer was cut off"
                )
            if (Either.isLeft(listed)) reasons.set(machine, listed.left)
            else for (const log of listed.right) if (missing.has(log.file)) found.set(log.file, log)
          }
          return [...missing].map(([file, log]): JobLog => {
            const { closedAt, machine, openedAt } = log
            const size = remains(log, reasons.get(machine) ?? "its file is gone").length
            return found.get(file) ?? new JobLog({ file, size, at: closedAt ?? openedAt, host: hostOf(log) })
          })
        })
    }
  })
