/**
 * Logs on other nodes of a cluster. A log is read from the node that wrote it, over HTTP, with the token that all nodes share; if that
 * node is gone, the recorded end of the output is served instead. A node never forwards the request of another node.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Either, Redacted, Schema, type Scope, Stream } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Run } from "../../domain/Run.js"
import type { RecordedLog } from "../../store/port/RunStoreService.js"
import type { Reads } from "../../store/Runs.js"
import * as ClientError from "../client/ClientError.js"
import { JobLog } from "../contract/Job.js"
import { nodeHeader, type Range } from "./nodeRequest.js"

/** The time limit for the beginning of a response. */
const responseTimeout = "5 seconds"

/** The name of a log in the directory of logs of any machine: `JOB/…`. */
export const nameOf = (jobId: JobId, path: string): string => path.slice(path.lastIndexOf(`${jobId}/`))

/** The host name of a machine. */
const hostOf = ({ machine = "another machine" }: RecordedLog): string => machine.split("/", 1)[0] ?? machine

/** The replacement for a log that can no longer be read. */
const remains = (log: RecordedLog, reason: string): Buffer => {
  const end =
    log.tail === undefined
      ? ", and its end is not recorded"
      : "; this is what is recorded of it, the last 16 KiB at most:"
  return Buffer.from(
    `[charlotte: the log is on ${hostOf(log)}, and cannot be read there (${reason})${end}]\n${log.tail ?? ""}`
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
  /** The logs of a job whose names are not in `own`. */
  readonly others: (run: Run, own: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<JobLog>, StoreError, Scope.Scope>
}

const decodeLogs = Schema.decode(Schema.parseJson(Schema.Array(JobLog)))

export const make = (store: Reads, token: Redacted.Redacted | undefined): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* Effect.provideServiceEffect(
      NodeHttpClient.make,
      NodeHttpClient.HttpAgent,
      NodeHttpClient.makeAgent({ keepAlive: false })
    )
    const scoped = HttpClient.withScope(client)

    /** The response of a node to a request for logs of a job; fails with the reason. */
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
        if (response.status === 200) return response
        return yield* Effect.fail(
          response.status === 404 ? "no node there has its file" : `${url} answers ${response.status}`
        )
      })

    const limited = (url: string) =>
      Effect.timeoutFail({
        duration: responseTimeout,
        onTimeout: () => `${url} has not responded for ${responseTimeout}`
      })

    /** The URLs of the nodes of a machine, or why none can be reached. */
    const nodesOn = (machine: string | undefined, { kind }: Run) =>
      Effect.map(store.cluster.nodes(kind), (all): Either.Either<ReadonlyArray<string>, string> => {
        const alive = all.filter((node) => node.isAlive && node.machine === machine)
        const urls = alive.flatMap(({ url }) => (url === undefined ? [] : [url]))
        if (alive.length === 0) return Either.left("no node runs there")
        if (token === undefined) return Either.left("this server has no token of the nodes")
        return urls.length === 0 ? Either.left("its node has no URL") : Either.right(urls)
      })

    /** Queries the nodes of a machine one after another until a response suffices; also returns the last problem. */
    const ask = <A>(
      machine: string | undefined,
      run: Run,
      request: (url: string) => Effect.Effect<A, string, Scope.Scope>,
      isEnough: (answer: A) => boolean
    ): Effect.Effect<{ readonly answers: ReadonlyArray<A>; readonly problem: string }, StoreError, Scope.Scope> =>
      Effect.gen(function* () {
        const nodes = yield* nodesOn(machine, run)
        const answers: Array<A> = []
        let problem = Either.isLeft(nodes) ? nodes.left : "its file is gone"
        for (const url of Either.getOrElse(nodes, () => [])) {
          const answer = yield* Effect.either(request(url))
          if (Either.isRight(answer)) {
            answers.push(answer.right)
            if (isEnough(answer.right)) break
          } else {
            problem = answer.left
            yield* Effect.logWarning(`a node could not be asked for a log: ${problem}`)
          }
        }
        return { answers, problem }
      })

    const list = (url: string, id: JobId) =>
      Effect.flatMap(get(url, id, "/files", {}), ({ text }) =>
        Effect.flatMap(
          Effect.mapError(text, () => "its answer was cut off"),
          (text) => Effect.mapError(decodeLogs(text), ({ message }) => message)
        )
      ).pipe(limited(url))

    const open = (url: string, id: JobId, file: string, { follow, from, to }: Range) => {
      const range = { file, from: String(from), to: String(to) }
      return follow
        ? // The response begins with the first byte of the output, which may take any time.
          Effect.zipRight(list(url, id), get(url, id, "", { ...range, follow: "true" }))
        : limited(url)(get(url, id, "", range))
    }

    const logsOf = (id: JobId) => store.childProcesses.logs(id)

    return {
      read: (run, name, range) =>
        Effect.gen(function* () {
          const file = nameOf(run.id, name)
          const log = (yield* logsOf(run.id)).findLast(({ log }) => nameOf(run.id, log) === file)
          if (log === undefined) return undefined
          const { answers, problem } = yield* ask(
            log.machine,
            run,
            (url) => open(url, run.id, file, range),
            () => true
          )
          const [response] = answers
          if (response === undefined) {
            return Stream.make<[Uint8Array]>(remains(log, problem).subarray(range.from, range.to))
          }
          return Stream.catchAll(response.stream, (error) =>
            Stream.execute(Effect.logWarning("the log of another node is cut off", error)).pipe(
              Stream.concat(Stream.make<[Uint8Array]>(lost(log)))
            )
          )
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
          const problems = new Map<string | undefined, string>()
          for (const machine of new Set([...missing.values()].map(({ machine }) => machine))) {
            const { answers, problem } = yield* ask(
              machine,
              run,
              (url) => list(url, run.id),
              () => false
            )
            problems.set(machine, problem)
            for (const log of answers.flat()) if (missing.has(log.file)) found.set(log.file, log)
          }
          return [...missing].map(([file, log]): JobLog => {
            const { closedAt, machine, openedAt } = log
            const size = remains(log, problems.get(machine) ?? "").length
            return found.get(file) ?? new JobLog({ file, size, at: closedAt ?? openedAt, host: hostOf(log) })
          })
        })
    }
  })
