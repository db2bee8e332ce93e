/**
 * Handlers of jobs and events. They translate between HTTP and the manager and hold no logic.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Layer, Option, Predicate } from "effect"
import { InvalidJobConfig, MaxJobsReached } from "../../domain/errors.js"
import type { Run } from "../../domain/Run.js"
import { JobManager } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import { type JobsApi, Submitted } from "../contract/Api.js"
import { decodeJsonBody, readJsonBody } from "./readJsonBody.js"
import { StopAll } from "../contract/Jobs.js"
import type { Submission } from "../contract/Parameters.js"
import { decodeErrorFromIssues } from "./decodeErrors.js"
import * as JobQueries from "./JobQueries.js"
import * as SseStreams from "./SseStreams.js"
import * as LogFiles from "./LogFiles.js"
import * as Metrics from "./Metrics.js"
import { layer as streamsLayer, type Options as StreamOptions, OpenStreams } from "./OpenStreams.js"
import * as IdempotentSubmit from "./IdempotentSubmit.js"

export interface Options extends SseStreams.Options {
  /** The kind of the manager's jobs; `tasks` by default. */
  readonly kind?: string
  /** The directory of job logs; without it, requests for logs fail with `LogNotFound`. */
  readonly logs?: string
}

/**
 * Options of `JobsApi.layer`.
 *
 * @since 0.2.0
 * @category options
 */
export interface LayerOptions extends Options, StreamOptions {}

const retryAfter = HttpApp.appendPreResponseHandler((_, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", "5"))
)

/** Adds `Retry-After` when the server is at capacity. */
const withRetryAfter = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapError(effect, (error) => (error instanceof MaxJobsReached ? retryAfter : Effect.void))

const stopAll = decodeJsonBody(StopAll)

/** Checks for an object only: `JobManager.start` decodes it and reports every invalid field. */
const isSubmission = (body: unknown): body is Submission => Predicate.isRecord(body)

/** `JobsApi` as part of another API. */
type WithJobs<Id extends string> =
  typeof JobsApi extends HttpApi.HttpApi<string, infer Groups, infer E, infer R>
    ? HttpApi.HttpApi<Id, Groups, E, R>
    : never

const jobs = <Id extends string>(api: WithJobs<Id>, { kind = "tasks", logs: directory }: Options) =>
  HttpApiBuilder.group(api, "charlotteJobs", (handlers) =>
    Effect.gen(function* () {
      const manager = yield* JobManager
      const store = yield* RunStore
      const streams = yield* OpenStreams
      const { submit } = IdempotentSubmit.make({ kind, manager, store })
      const logs = yield* LogFiles.make({ kind, directory, store, streams })

      const phaseOf = ({ id, status }: Run) =>
        Effect.map(manager.get(id), (job) => ({
          status,
          phase: Option.getOrUndefined(Option.map(job, ({ phase }) => phase))
        }))
      const queries = JobQueries.make({ kind, phaseOf, store })

      return handlers
        .handleRaw("submit", ({ headers, request }) =>
          Effect.gen(function* () {
            const body = yield* readJsonBody(request)
            if (!isSubmission(body)) {
              return yield* new InvalidJobConfig({ issues: [{ path: [], message: "must be an object" }] })
            }
            const id = yield* submit(body, headers["idempotency-key"])
            return new Submitted({ id })
          }).pipe(withRetryAfter, Metrics.start)
        )
        .handle("list", ({ urlParams: { label = [], limit = 100, before, status } }) => {
          const labels = Object.fromEntries(label.map(({ name, value }) => [name, value]))
          return queries.list({ labels, limit, ...(status && { status }), ...(before && { before }) })
        })
        .handle("get", ({ path: { id } }) => queries.get(id))
        .handle("stop", ({ path: { id }, urlParams: { grace } }) => Metrics.stop(manager.stop(id, grace && { grace })))
        .handleRaw("stopAll", ({ request }) =>
          Effect.flatMap(stopAll(request), (body) =>
            body.kind === undefined || body.kind === kind
              ? manager.stopAll
              : decodeErrorFromIssues([
                  { _tag: "Type", path: ["kind"], message: `the jobs of this server are of kind ${kind}` }
                ])
          )
        )
        .handle("resume", ({ path: { id } }) => withRetryAfter(manager.resume(id)))
        .handle("logs", ({ path: { id }, request, urlParams }) => logs(request, id, urlParams))
    })
  )

const events = <Id extends string>(api: WithJobs<Id>, { kind = "tasks", ...options }: Options) =>
  HttpApiBuilder.group(api, "charlotteEvents", (handlers) =>
    Effect.gen(function* () {
      const manager = yield* JobManager
      const store = yield* RunStore
      const streams = yield* OpenStreams
      const { ofAll, ofJob } = SseStreams.make({ ...options, kind, manager, store, streams })
      // `Last-Event-ID` takes precedence: a browser reconnects with the URL of its first request.
      return handlers
        .handle("ofJob", ({ headers, path: { id }, request, urlParams: { after } }) =>
          ofJob(request, id, headers["last-event-id"] ?? after)
        )
        .handle("ofAll", ({ headers, request, urlParams: { after } }) =>
          ofAll(request, headers["last-event-id"] ?? after)
        )
    })
  )

/** Handlers for any API that contains the groups of `JobsApi`, under any prefix. */
export const groups = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>,
  options: Options
): Layer.Layer<
  HttpApiGroup.ApiGroup<Id, "charlotteJobs"> | HttpApiGroup.ApiGroup<Id, "charlotteEvents">,
  never,
  JobManager | RunStore | OpenStreams | FileSystem.FileSystem
> => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the groups are looked up by name, and only they are used
  const withJobs = api as unknown as WithJobs<Id>
  return Layer.mergeAll(jobs(withJobs, options), events(withJobs, options))
}

/**
 * The handlers of `JobsApi.JobsApi` for an application's own API on a Node server. Authentication is up to the application; bodies are
 * limited to 1 MiB.
 *
 * @since 0.2.0
 * @category layers
 * @example
 * import * as HttpApi from "@effect/platform/HttpApi"
 * import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
 * import { JobsApi } from "charlotte/http"
 * import { Layer } from "effect"
 *
 * const AppApi = HttpApi.make("app").addHttpApi(JobsApi.JobsApi)
 *
 * // Needs a JobManager and its RunStore; goes to HttpApiBuilder.serve.
 * const AppLayer = HttpApiBuilder.api(AppApi).pipe(Layer.provide(JobsApi.layer(AppApi)))
 */
export const layer = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>,
  options: LayerOptions = {}
) => Layer.provide(groups(api, options), streamsLayer(options))
