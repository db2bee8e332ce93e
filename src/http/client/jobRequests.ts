/**
 * The client of jobs of any kind, on the connection to a server.
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { Chunk, DateTime, Duration, Effect, Option, Stream } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { type StartOptions, typedStart } from "../../domain/StartOptions.js"
import type { PauseOptions, RetryProgress } from "../../manager/JobManagerService.js"
import { Api } from "../contract/Api.js"
import { UnexpectedAnswer } from "../contract/errors.js"
import { endsJob } from "../contract/Events.js"
import * as ClientError from "./ClientError.js"
import { decodeExportError, decodeLogError } from "./decodeErrorResponse.js"
import { type Derived, prefix } from "./Derived.js"
import type { LogQuery, Service } from "./JobClientService.js"
import * as scheduleRequests from "./scheduleRequests.js"

type RetryManyError = Stream.Stream.Error<ReturnType<Service["retryMany"]>>

/** How far a series of requests has come. */
type RetryState = Omit<RetryProgress, "last"> & { readonly last: JobId | undefined }

/** The last byte of an export. */
const lineBreak = 10

export const make = ({
  address,
  connection,
  follow,
  options,
  translateErrors,
  withTimeout
}: Derived): Effect.Effect<Service> =>
  Effect.gen(function* () {
    // Derived on first use, since a command makes only one request: to derive all would take 9 % more CPU, 21 ms of 244
    // (user time of `charlotte jobs` on Node 24, the median of 10 pairs of runs).
    const jobs = { ...options, group: "charlotteJobs" } as const
    const submit = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "submit" }))
    const land = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "land" }))
    const list = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "list" }))
    const get = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "get" }))
    const steps = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "steps" }))
    const step = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "step" }))
    const children = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "children" }))
    const stop = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "stop" }))
    const stopAll = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "stopAll" }))
    const resume = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "resume" }))
    const reschedule = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "reschedule" }))
    const retry = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "retry" }))
    const retryMany = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "retryMany" }))
    const signal = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "signal" }))
    const approve = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "approve" }))
    const reject = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "reject" }))
    const answer = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "answer" }))
    const pin = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "pin" }))
    const unpin = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "unpin" }))
    const prune = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "prune" }))
    const kinds = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "kinds" }))
    const pause = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "pause" }))
    const unpause = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "unpause" }))
    const limit = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "limit" }))
    const logFiles = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "logFiles" }))
    const diff = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...jobs, endpoint: "diff" }))
    const about = { ...options, group: "charlotteSystem" } as const
    const system = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "system" }))
    const agents = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "agents" }))
    const subscribers = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "subscribers" }))
    const retrySubscriber = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...about, endpoint: "retrySubscriber" }))
    const removeSubscriber = yield* Effect.cached(
      HttpApiClient.endpoint(Api, { ...about, endpoint: "removeSubscriber" })
    )
    const daemon = { ...options, group: "charlotteDaemon" } as const
    const shutdown = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...daemon, endpoint: "shutdown" }))
    const health = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...daemon, endpoint: "health" }))
    const ready = yield* Effect.cached(HttpApiClient.endpoint(Api, { ...daemon, endpoint: "ready" }))

    const schedules = yield* scheduleRequests.make({ options, translateErrors, withTimeout })
    const scoped = HttpClient.withScope(connection.client)

    const log = (id: JobId, query: LogQuery) =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          const response = yield* translateErrors(scoped.get(`${prefix}/jobs/${id}/logs`, { urlParams: { ...query } }))
          if (response.status !== 200) return yield* decodeLogError(address, response)
          return Stream.mapError(response.stream, ClientError.translate(address))
        })
      )

    const exported = (id: JobId) =>
      Stream.unwrapScoped(
        Effect.gen(function* () {
          const response = yield* translateErrors(scoped.get(`${prefix}/jobs/${id}/export`))
          if (response.status !== 200) return yield* decodeExportError(address, response)
          let last: number | undefined
          const bytes = response.stream.pipe(
            Stream.mapError(ClientError.translate(address)),
            Stream.tap((bytes) => Effect.sync(() => (last = bytes.at(-1) ?? last)))
          )
          const end = Effect.suspend(() =>
            last === lineBreak ? Effect.void : new UnexpectedAnswer({ address, problem: "the export is cut off" })
          )
          return Stream.concat(bytes, Stream.execute(end))
        })
      )

    const stopAllBy: Service["stopAllBy"] = (by) =>
      translateErrors(
        Effect.flatMap(stopAll, (stopAll) => stopAll({ payload: { all: true, ...(by !== undefined && { by }) } }))
      ).pipe(
        // Cannot happen without a kind.
        Effect.catchTag("NoSuchKind", Effect.die)
      )

    return {
      address,
      export: exported,
      start: typedStart((payload, { idempotencyKey, ...options } = {}) => {
        const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }
        const urlParams = startParameters(options)
        return translateErrors(
          Effect.flatMap(submit, (submit) => Effect.map(submit({ payload, headers, urlParams }), ({ id }) => id))
        )
      }),
      land: (id, { idempotencyKey, units } = {}) => {
        const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }
        const request = { path: { id }, headers, payload: { units } }
        return translateErrors(Effect.flatMap(land, (land) => Effect.map(land(request), ({ id }) => id)))
      },
      list: ({ labels = {}, ...query } = {}) => {
        const label = Object.entries(labels).map(([name, value]) => ({ name, value }))
        return withTimeout(translateErrors(Effect.flatMap(list, (list) => list({ urlParams: { ...query, label } }))))
      },
      get: (id) => withTimeout(translateErrors(Effect.flatMap(get, (get) => get({ path: { id } })))),
      steps: (id, urlParams = {}) =>
        withTimeout(translateErrors(Effect.flatMap(steps, (steps) => steps({ path: { id }, urlParams })))),
      step: (id, name) => {
        // The name may be or contain what separates the parts of a URL.
        const request = { path: { id, name: "-" }, urlParams: { name } }
        return withTimeout(translateErrors(Effect.flatMap(step, (step) => step(request))))
      },
      children: (id, urlParams = {}) =>
        withTimeout(translateErrors(Effect.flatMap(children, (children) => children({ path: { id }, urlParams })))),
      stop: (id, { by, grace } = {}) => {
        const urlParams = {
          ...(by === undefined ? {} : { by }),
          ...(grace === undefined ? {} : { grace: Duration.decode(grace) })
        }
        return translateErrors(Effect.flatMap(stop, (stop) => stop({ path: { id }, urlParams })))
      },
      stopAll: stopAllBy(undefined),
      stopAllBy,
      resume: (id, { by, tokens, usd } = {}) => {
        const urlParams = {
          ...(usd === undefined ? {} : { usd }),
          ...(tokens === undefined ? {} : { tokens }),
          ...(by === undefined ? {} : { by })
        }
        return translateErrors(Effect.flatMap(resume, (resume) => resume({ path: { id }, urlParams })))
      },
      reschedule: (id, { startAt, ...options }) => {
        const time = startAt === undefined || startAt === "now" ? startAt : DateTime.toUtc(startAt)
        const request = { path: { id }, payload: { ...options, startAt: time } }
        return translateErrors(Effect.flatMap(reschedule, (reschedule) => reschedule(request)))
      },
      retry: (id, { again, by, fresh } = {}) => {
        const urlParams = {
          ...(again === undefined ? {} : { again }),
          ...(by === undefined ? {} : { by }),
          ...(fresh === undefined ? {} : { fresh })
        }
        return translateErrors(
          Effect.flatMap(retry, (retry) => Effect.map(retry({ path: { id }, urlParams }), ({ id }) => id))
        )
      },
      retryMany: ({ before, ...query }) =>
        Stream.paginateChunkEffect<RetryState, RetryProgress, RetryManyError, never>(
          { retried: 0, refused: 0, last: before },
          (sofar) =>
            Effect.gen(function* () {
              const request = yield* retryMany
              const payload = { ...query, before: sofar.last }
              const { last, problem = sofar.problem, ...slice } = yield* translateErrors(request({ payload }))
              if (last === undefined) return [Chunk.empty(), Option.none()] as const
              const progress = {
                retried: sofar.retried + slice.retried,
                refused: sofar.refused + slice.refused,
                last,
                ...(problem !== undefined && { problem })
              }
              return [Chunk.of(progress), Option.some(progress)] as const
            })
        ),
      signal: (id, name, payload, { by } = {}) =>
        translateErrors(Effect.flatMap(signal, (signal) => signal({ path: { id, name }, payload: { payload, by } }))),
      approve: (id, payload) =>
        translateErrors(Effect.flatMap(approve, (approve) => approve({ path: { id }, payload }))),
      reject: (id, payload) => translateErrors(Effect.flatMap(reject, (reject) => reject({ path: { id }, payload }))),
      answer: (id, payload) => translateErrors(Effect.flatMap(answer, (answer) => answer({ path: { id }, payload }))),
      pin: (id, options) =>
        translateErrors(Effect.flatMap(pin, (pin) => pin({ path: { id }, urlParams: senderOf(options) }))),
      unpin: (id, options) =>
        translateErrors(Effect.flatMap(unpin, (unpin) => unpin({ path: { id }, urlParams: senderOf(options) }))),
      prune: ({ by, dryRun, kind } = {}) =>
        translateErrors(Effect.flatMap(prune, (prune) => prune({ payload: { by, dryRun, kind } }))),
      kinds: withTimeout(translateErrors(Effect.flatMap(kinds, (kinds) => kinds({})))),
      pause: (kind, options) =>
        translateErrors(Effect.flatMap(pause, (pause) => pause({ path: { kind }, urlParams: senderOf(options) }))),
      unpause: (kind, options) =>
        translateErrors(
          Effect.flatMap(unpause, (unpause) => unpause({ path: { kind }, urlParams: senderOf(options) }))
        ),
      limit: (kind, maxJobs, options) => {
        const request = { path: { kind }, payload: { maxJobs, ...options } }
        return translateErrors(Effect.flatMap(limit, (limit) => limit(request)))
      },
      events: (id, { after = 0, ...options } = {}) =>
        follow({ ...options, path: `${prefix}/jobs/${id}/events`, after, isLast: endsJob }),
      allEvents: ({ after = 0, kind, ...options } = {}) =>
        follow({
          ...options,
          path: `${prefix}/events`,
          query: kind === undefined ? {} : { kind },
          after,
          isLast: () => false
        }),
      log,
      logFiles: (id) =>
        withTimeout(translateErrors(Effect.flatMap(logFiles, (logFiles) => logFiles({ path: { id } })))),
      diff: (id, urlParams = {}) => translateErrors(Effect.flatMap(diff, (diff) => diff({ path: { id }, urlParams }))),
      system: withTimeout(translateErrors(Effect.flatMap(system, (system) => system({})))),
      agents: withTimeout(translateErrors(Effect.flatMap(agents, (agents) => agents({})))),
      subscribers: withTimeout(translateErrors(Effect.flatMap(subscribers, (subscribers) => subscribers({})))),
      retrySubscriber: (name) =>
        translateErrors(
          Effect.flatMap(retrySubscriber, (retry) => Effect.map(retry({ path: { name } }), ({ retried }) => retried))
        ),
      removeSubscriber: (name, options) =>
        translateErrors(
          Effect.flatMap(removeSubscriber, (remove) => remove({ path: { name }, urlParams: senderOf(options) }))
        ),
      ...schedules,
      shutdown: translateErrors(Effect.flatMap(shutdown, (shutdown) => shutdown({}))),
      health: withTimeout(translateErrors(Effect.flatMap(health, (health) => health({})))),
      ready: withTimeout(Effect.asVoid(translateErrors(Effect.flatMap(ready, (ready) => ready({})))))
    }
  })

const senderOf = ({ by }: PauseOptions = {}) => (by === undefined ? {} : { by })

/** Options of a start as parameters of a request. */
export const startParameters = ({ delay, key, priority, startAt, whenFull, whenKeyTaken }: StartOptions) => ({
  ...(whenFull === undefined ? {} : { whenFull }),
  ...(priority === undefined ? {} : { priority }),
  ...(startAt === undefined ? {} : { startAt: DateTime.toUtc(startAt) }),
  ...(delay === undefined ? {} : { delay: Duration.decode(delay) }),
  ...(key === undefined ? {} : { key }),
  ...(whenKeyTaken === undefined ? {} : { whenKeyTaken })
})
