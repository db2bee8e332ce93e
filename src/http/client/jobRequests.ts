/**
 * The client of jobs of any kind, on the connection to a server.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { Chunk, DateTime, Duration, Effect, Option, Stream } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { type StartOptions, typedStart } from "../../domain/StartOptions.js"
// A type only: a client must not load the manager.
import type { Progress } from "../../manager/internal/eachMatching.js"
import type { Submitted } from "../contract/Api.js"
import { UnexpectedAnswer } from "../contract/errors.js"
import { endsJob } from "../contract/Events.js"
import * as ClientError from "./ClientError.js"
import { decodeExportError, decodeLogError } from "./decodeErrorResponse.js"
import { type Derived, prefix } from "./Derived.js"
import type { LogQuery, Service } from "./JobClientService.js"

/** How far a series of requests has come, or what one of them has done. */
type Slice = Omit<Progress, "last" | "problem"> & {
  readonly last?: JobId | undefined
  readonly problem?: string | undefined
}

/** Repeats a request for jobs that match until nothing is left, and emits after each how far it has come. */
const slices = <E>(
  before: JobId | undefined,
  request: (before: JobId | undefined) => Effect.Effect<Slice, E>
): Stream.Stream<Progress, E> =>
  Stream.paginateChunkEffect<Slice, Progress, E, never>({ done: 0, refused: 0, last: before }, (sofar) =>
    Effect.map(request(sofar.last), ({ done, last, problem = sofar.problem, refused }) => {
      if (last === undefined) return [Chunk.empty(), Option.none()] as const
      const progress = {
        done: sofar.done + done,
        refused: sofar.refused + refused,
        last,
        ...(problem !== undefined && { problem })
      }
      return [Chunk.of(progress), Option.some(progress)] as const
    })
  )

/** The last byte of an export. */
const lineBreak = 10

export const make = ({ address, connection, follow, requests, translateErrors, withTimeout }: Derived): Service => {
  const { charlotteDaemon: daemon, charlotteJobs: jobs, charlotteSystem: system } = requests
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
    jobs.stopAll({ payload: { all: true, by } }).pipe(
      // Cannot happen without a kind.
      Effect.catchTag("NoSuchKind", Effect.die)
    )

  return {
    address,
    export: exported,
    start: typedStart((payload, { idempotencyKey, ...options } = {}) => {
      const headers = { "idempotency-key": idempotencyKey }
      return Effect.map(jobs.submit({ payload, headers, urlParams: startParameters(options) }), idOf)
    }),
    land: (id, { idempotencyKey, units } = {}) =>
      Effect.map(jobs.land({ path: { id }, headers: { "idempotency-key": idempotencyKey }, payload: { units } }), idOf),
    list: ({ labels = {}, ...query } = {}) => {
      const label = Object.entries(labels).map(([name, value]) => ({ name, value }))
      return withTimeout(jobs.list({ urlParams: { ...query, label } }))
    },
    get: (id) => withTimeout(jobs.get({ path: { id } })),
    steps: (id, urlParams = {}) => withTimeout(jobs.steps({ path: { id }, urlParams })),
    // The name may be or contain what separates the parts of a URL.
    step: (id, name) => withTimeout(jobs.step({ path: { id, name: "-" }, urlParams: { name } })),
    children: (id, urlParams = {}) => withTimeout(jobs.children({ path: { id }, urlParams })),
    stop: (id, { by, grace } = {}) =>
      jobs.stop({ path: { id }, urlParams: { by, grace: grace === undefined ? grace : Duration.decode(grace) } }),
    stopAll: stopAllBy(undefined),
    stopAllBy,
    resume: (id, urlParams = {}) => jobs.resume({ path: { id }, urlParams }),
    reschedule: (id, { startAt, ...options }) => {
      const time = startAt === undefined || startAt === "now" ? startAt : DateTime.toUtc(startAt)
      return jobs.reschedule({ path: { id }, payload: { ...options, startAt: time } })
    },
    retry: (id, urlParams = {}) => Effect.map(jobs.retry({ path: { id }, urlParams }), idOf),
    retryMany: ({ before, ...query }) =>
      slices(before, (before) =>
        Effect.map(jobs.retryMany({ payload: { ...query, before } }), ({ retried, ...slice }) => ({
          ...slice,
          done: retried
        }))
      ).pipe(Stream.map(({ done, ...progress }) => ({ ...progress, retried: done }))),
    remove: (id, urlParams = {}) => jobs.remove({ path: { id }, urlParams }),
    removeMany: ({ before, ...query }) =>
      slices(before, (before) =>
        Effect.map(jobs.removeMany({ payload: { ...query, before } }), ({ removed, ...slice }) => ({
          ...slice,
          done: removed
        }))
      ).pipe(Stream.map(({ done, ...progress }) => ({ ...progress, removed: done }))),
    signal: (id, name, payload, { by } = {}) => jobs.signal({ path: { id, name }, payload: { payload, by } }),
    approve: (id, payload) => jobs.approve({ path: { id }, payload }),
    reject: (id, payload) => jobs.reject({ path: { id }, payload }),
    answer: (id, payload) => jobs.answer({ path: { id }, payload }),
    pin: (id, urlParams = {}) => jobs.pin({ path: { id }, urlParams }),
    unpin: (id, urlParams = {}) => jobs.unpin({ path: { id }, urlParams }),
    prune: (payload = {}) => jobs.prune({ payload }),
    kinds: withTimeout(jobs.kinds({})),
    pause: (kind, urlParams = {}) => jobs.pause({ path: { kind }, urlParams }),
    unpause: (kind, urlParams = {}) => jobs.unpause({ path: { kind }, urlParams }),
    limit: (kind, maxJobs, options) => jobs.limit({ path: { kind }, payload: { maxJobs, ...options } }),
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
    logFiles: (id) => withTimeout(jobs.logFiles({ path: { id } })),
    diff: (id, urlParams = {}) => jobs.diff({ path: { id }, urlParams }),
    system: withTimeout(system.system({})),
    agents: withTimeout(system.agents({})),
    subscribers: withTimeout(system.subscribers({})),
    retrySubscriber: (name) => Effect.map(system.retrySubscriber({ path: { name } }), ({ retried }) => retried),
    removeSubscriber: (name, urlParams = {}) => system.removeSubscriber({ path: { name }, urlParams }),
    schedules: withTimeout(system.schedules({})),
    runSchedule: (kind, name, urlParams = {}) =>
      Effect.map(system.runSchedule({ path: { kind, name }, urlParams }), idOf),
    pauseSchedule: (kind, name, urlParams = {}) => system.pauseSchedule({ path: { kind, name }, urlParams }),
    unpauseSchedule: (kind, name, urlParams = {}) => system.unpauseSchedule({ path: { kind, name }, urlParams }),
    removeSchedule: (kind, name, urlParams = {}) => system.removeSchedule({ path: { kind, name }, urlParams }),
    shutdown: daemon.shutdown({}),
    health: withTimeout(daemon.health({})),
    ready: withTimeout(Effect.asVoid(daemon.ready({})))
  }
}

const idOf = ({ id }: Submitted): JobId => id
/** Options of a start as parameters of a request. */
export const startParameters = ({ delay, key, priority, startAt, whenFull, whenKeyTaken }: StartOptions) => ({
  ...(whenFull === undefined ? {} : { whenFull }),
  ...(priority === undefined ? {} : { priority }),
  ...(startAt === undefined ? {} : { startAt: DateTime.toUtc(startAt) }),
  ...(delay === undefined ? {} : { delay: Duration.decode(delay) }),
  ...(key === undefined ? {} : { key }),
  ...(whenKeyTaken === undefined ? {} : { whenKeyTaken })
})
