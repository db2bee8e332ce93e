/**
 * The client of one kind of job: as `JobClient`, with the types of the kind.
 *
 * @since 0.2.0
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import { Context, Effect, Layer, Schema, type Scope, Stream } from "effect"
import { JobNotFound, type SignalError, type StoreError, type UndecodableRun } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { type Start, typedStart } from "../../domain/StartOptions.js"
// Types only: a client must not load the manager.
import { runDecoder } from "../../manager/internal/kindSchemas.js"
import * as Provide from "../../manager/internal/provide.js"
import type * as JobKind from "../../manager/JobKind.js"
import type { Operations } from "../../manager/internal/Operations.js"
import type { SendSignal, SignalOptions } from "../../manager/JobManager.js"
import { ofKinds } from "../contract/Api.js"
import * as errorSchemas from "../contract/errorSchemas.js"
import type { ConnectionFailed, DaemonNotRunning, NoSuchKind } from "../contract/errors.js"
import { group } from "../contract/Jobs.js"
import type { AnyKind } from "../contract/Kinds.js"
import type { ClientError } from "./ClientError.js"
import type { Target } from "./Connection.js"
import * as Derived from "./Derived.js"
import type { FollowError } from "./EventSource.js"
import * as jobRequests from "./jobRequests.js"
import type { JobQuery, Patience } from "./JobClientService.js"
import type { OfJob, Remote, Response } from "./Remote.js"

/**
 * The operations of the manager of a kind, over HTTP. A job of another kind is `JobNotFound`, a server without the kind
 * `NoSuchKind`; every request may fail with a `ClientError`.
 *
 * @since 0.2.0
 * @category models
 */
export interface KindService<K extends JobKind.Any>
  extends
    OfJob,
    Remote<
      Pick<Operations, "limit" | "pause" | "removeMany" | "retryMany" | "stopAll" | "stopAllBy" | "unpause">,
      NoSuchKind
    > {
  /** The address of the server, for messages. */
  readonly address: string

  /** As `JobManager.start`. */
  readonly start: Start<JobKind.Encoded<K>, NoSuchKind | StoreError | ClientError>

  /** The record of a job, whether active or ended. */
  readonly get: (id: JobId) => Response<JobKind.Run<K>, JobNotFound | UndecodableRun>

  /** A page of records, newest first. */
  readonly list: (query?: Omit<JobQuery, "kind">) => Response<KindPage<K>, NoSuchKind | UndecodableRun>

  /** The record of a job once it has ended; follows its events until then, and reconnects as `events` does. */
  readonly await: (id: JobId, options?: Patience) => Effect.Effect<JobKind.Run<K>, FollowError | UndecodableRun>

  /** As `JobManager.signal`. */
  readonly signal: SendSignal<JobKind.EncodedSignals<K>, Response<void, SignalError>>

  /** As `JobManager.events`; reconnects when the connection is lost. */
  readonly events: (
    id: JobId,
    options?: Patience & { readonly after?: number }
  ) => Stream.Stream<JobKind.Event<K>, FollowError>

  /** As `JobManager.allEvents`, for jobs of this kind; reconnects as `events` does. */
  readonly allEvents: (
    options?: Patience & { readonly after?: number | "latest" }
  ) => Stream.Stream<JobKind.Event<K>, FollowError>
}

/**
 * A page of the records of a kind, newest first.
 *
 * @since 0.2.0
 * @category models
 */
export interface KindPage<K extends JobKind.Any> {
  readonly jobs: ReadonlyArray<JobKind.Run<K>>
  /** The value of `before` for the next page; missing on the last page. */
  readonly next?: JobId
}

/**
 * The client of a kind, as a service.
 *
 * @since 0.2.0
 * @category models
 */
export interface KindClient<in out K extends JobKind.Any> {
  readonly kindOf: (_: K) => K
}

/**
 * The tag of the client of a kind, with its layer.
 *
 * @since 0.2.0
 * @category models
 */
export interface KindClientTag<K extends JobKind.Any> extends Context.TagClass<
  KindClient<K>,
  `charlotte/http/JobClient/${K["kind"]}`,
  KindService<K>
> {
  /** A client for the server on a unix socket or a port, or at a URL. It connects with its first request. */
  readonly layer: (
    target: Target
  ) => Layer.Layer<KindClient<K>, ConnectionFailed | DaemonNotRunning, JobKind.Requirements<K>>
}

/**
 * The typed client of a kind of job.
 *
 * @since 0.2.0
 * @category constructors
 * @example
 * import { JobKind } from "charlotte"
 * import { JobClient } from "charlotte/http"
 * import { Effect, Schema } from "effect"
 *
 * class Email extends JobKind.Tag<Email>()("email", {
 *   config: Schema.Struct({ to: Schema.String }),
 *   success: Schema.Struct({ messageId: Schema.String })
 * }) {}
 *
 * const EmailClient = JobClient.of(Email)
 *
 * const program = Effect.gen(function* () {
 *   const emails = yield* EmailClient
 *   const run = yield* emails.await(yield* emails.start({ to: "ada@example.com" }))
 *   return run.status === "completed" ? run.result.messageId : run.status
 * }).pipe(Effect.provide(EmailClient.layer({ socket: "app.socket" })))
 */
export const of = <K extends AnyKind>(kind: K): KindClientTag<K> => {
  const key: `charlotte/http/JobClient/${K["kind"]}` = `charlotte/http/JobClient/${kind.kind}`
  const tag = Context.Tag(key)<KindClient<K>, KindService<K>>()
  return Object.assign(tag, { layer: (target: Target) => Layer.scoped(tag, make(kind, target)) })
}

const make = <K extends AnyKind>(
  kind: K,
  target: Target
): Effect.Effect<KindService<K>, ConnectionFailed | DaemonNotRunning, Scope.Scope | JobKind.Requirements<K>> =>
  Effect.gen(function* () {
    const provide = Provide.make(yield* Effect.context<JobKind.Requirements<K>>())
    const decode = runDecoder<
      JobKind.Config<K>,
      JobKind.Encoded<K>,
      JobKind.Success<K>,
      Schema.Schema.Encoded<K["success"]>,
      JobKind.Error<K>,
      Schema.Schema.Encoded<K["error"]>,
      JobKind.Requirements<K>,
      never
    >(
      {
        config: Schema.asSchema<K["config"]>(kind.config),
        success: Schema.asSchema<K["success"]>(kind.success),
        error: Schema.asSchema<K["error"]>(kind.error)
      },
      provide
    )

    const derived = yield* Derived.make(target)
    const { address, options, requests, translateErrors } = derived
    const jobs = jobRequests.make(derived)
    const submit = yield* Effect.cached(
      HttpApiClient.endpoint(
        // Without the errors of every request, each of them would be an unexpected response.
        ofKinds<AnyKind, typeof group>([kind], { jobs: group, payloads: {} }).addError(errorSchemas.Server),
        { ...options, group: "kinds", endpoint: kind.kind }
      )
    )
    /** The record of a job of this kind. */
    const find = (id: JobId) =>
      Effect.flatMap(jobs.get(id), ({ keys: _, phase: __, tasks: ___, units: ____, ...run }) =>
        run.kind === kind.kind ? Effect.succeed(run) : new JobNotFound({ jobId: id })
      )
    const get = (id: JobId) => Effect.flatMap(find(id), decode)
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: `emit` has encoded what the type declares
    const typed = <E>(events: Stream.Stream<unknown, E>) => events as Stream.Stream<JobKind.Event<K>, E>
    const events: KindService<K>["events"] = (id, options) =>
      typed(Stream.unwrap(Effect.as(find(id), jobs.events(id, options))))

    const signal = (id: JobId, name: string, payload?: unknown, options?: SignalOptions) =>
      Effect.zipRight(find(id), jobs.signal(id, name, payload, options))

    const stopAllBy: KindService<K>["stopAllBy"] = (by) =>
      requests.charlotteJobs.stopAll({ payload: { all: true, kind: kind.kind, by } })

    return {
      address,
      start: typedStart((config, { idempotencyKey, ...options } = {}) => {
        const key = idempotencyKey === undefined ? {} : { idempotencyKey }
        const payload = { config, ...jobRequests.startParameters(options), ...key }
        return Effect.flatMap(submit, (submit) => Effect.map(submit({ payload }), ({ id }) => id)).pipe(
          // The kinds have a route each. A list of jobs says which kinds there are.
          Effect.tapErrorTag("NoSuchRoute", () => jobs.list({ kind: kind.kind, limit: 1 })),
          translateErrors
        )
      }),
      get,
      list: (query = {}) =>
        Effect.flatMap(jobs.list({ ...query, kind: kind.kind }), ({ jobs, next }) =>
          Effect.map(
            Effect.forEach(jobs, ({ phase: _, ...run }) => decode(run)),
            (jobs) => ({ jobs, ...(next && { next }) })
          )
        ),
      await: (id, options) => Effect.zipRight(Stream.runDrain(events(id, options)), get(id)),
      stop: (id, options) => Effect.zipRight(find(id), jobs.stop(id, options)),
      stopAll: stopAllBy(undefined),
      stopAllBy,
      resume: (id, options) => Effect.zipRight(find(id), jobs.resume(id, options)),
      reschedule: (id, options) => Effect.zipRight(find(id), jobs.reschedule(id, options)),
      retry: (id, options) => Effect.zipRight(find(id), jobs.retry(id, options)),
      retryMany: (query) => jobs.retryMany({ ...query, kind: kind.kind }),
      // Of a job that was removed before, no kind is known any more.
      remove: (id, options) =>
        jobs.get(id).pipe(
          Effect.map((run) => run.kind === kind.kind),
          Effect.catchTag("JobNotFound", () => Effect.succeed(true)),
          Effect.flatMap((isOurs) => (isOurs ? jobs.remove(id, options) : new JobNotFound({ jobId: id })))
        ),
      removeMany: (query) => jobs.removeMany({ ...query, kind: kind.kind }),
      pause: (options) => jobs.pause(kind.kind, options),
      unpause: (options) => jobs.unpause(kind.kind, options),
      limit: (maxJobs, options) => jobs.limit(kind.kind, maxJobs, options),
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the server checks what the type declares
      signal: signal as KindService<K>["signal"],
      events,
      allEvents: (options) => typed(jobs.allEvents({ ...options, kind: kind.kind }))
    }
  })
