/**
 * What answers the requests of the contract. Handlers translate; what they ask for is done elsewhere.
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
import * as Body from "./readJsonBody.js"
import { StopAll } from "../contract/Jobs.js"
import type { Submission } from "../contract/Parameters.js"
import { inLines } from "./decodeErrors.js"
import * as JobQueries from "./JobQueries.js"
import * as EventStreams from "./SseStreams.js"
import * as Logs from "./LogFiles.js"
import * as Metrics from "./Metrics.js"
import { layer as streamsLayer, type Options as StreamOptions, Streams } from "./OpenStreams.js"
import * as Submissions from "./IdempotentSubmit.js"

/** What the handlers need to know of the manager. */
export interface Options extends EventStreams.Options {
  /** The kind of the manager's jobs; `tasks` by default. */
  readonly kind?: string
  /** The directory that holds the logs of jobs; without it there are none to read. */
  readonly logs?: string
}

/**
 * @since 0.2.0
 * @category options
 */
export interface LayerOptions extends Options, StreamOptions {}

const retryAfter = HttpApp.appendPreResponseHandler((_, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", "5"))
)

/** Says when to try again, where that may help. */
const withRetryAfter = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapError(effect, (error) => (error instanceof MaxJobsReached ? retryAfter : Effect.void))

const stopAll = Body.decode(StopAll)

/** Claims more than it has seen: `JobManager.start` decodes what it is given, and names every bad field. */
const isSubmission = (body: unknown): body is Submission => Predicate.isRecord(body)

/** `JobsApi` as a part of another API. */
type WithJobs<Id extends string> =
  typeof JobsApi extends HttpApi.HttpApi<string, infer Groups, infer E, infer R>
    ? HttpApi.HttpApi<Id, Groups, E, R>
    : never

const jobs = <Id extends string>(api: WithJobs<Id>, { kind = "tasks", logs: directory }: Options) =>
  HttpApiBuilder.group(api, "charlotteJobs", (handlers) =>
    Effect.gen(function* () {
      const manager = yield* JobManager
      const store = yield* RunStore
      const streams = yield* Streams
      const submissions = Submissions.make({ kind, manager, store })
      const logs = yield* Logs.make({ kind, directory, store, streams })

      const phaseOf = ({ id, status }: Run) =>
        Effect.map(manager.get(id), (job) => ({
          status,
          phase: Option.getOrUndefined(Option.map(job, ({ phase }) => phase))
        }))
      const queries = JobQueries.make({ kind, phaseOf, store })

      return handlers
        .handleRaw("submit", ({ headers, request }) =>
          Effect.gen(function* () {
            const body = yield* Body.json(request)
            if (!isSubmission(body)) {
              return yield* new InvalidJobConfig({ issues: [{ path: [], message: "must be an object" }] })
            }
            const id = yield* submissions.submit(body, headers["idempotency-key"])
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
          Effect.flatMap(stopAll(request), (asked) =>
            asked.kind === undefined || asked.kind === kind
              ? manager.stopAll
              : inLines([{ _tag: "Type", path: ["kind"], message: `the jobs of this server are of kind ${kind}` }])
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
      const streams = yield* Streams
      const { ofAll, ofJob } = EventStreams.make({ ...options, kind, manager, store, streams })
      // What a browser sends when it comes back stands above the address, which is still that of its first request.
      return handlers
        .handle("ofJob", ({ headers, path: { id }, request, urlParams: { after } }) =>
          ofJob(request, id, headers["last-event-id"] ?? after)
        )
        .handle("ofAll", ({ headers, request, urlParams: { after } }) =>
          ofAll(request, headers["last-event-id"] ?? after)
        )
    })
  )

/** The handlers of an API that has the groups of `JobsApi`, whatever else it has and wherever it puts them. */
export const groups = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>,
  options: Options
): Layer.Layer<
  HttpApiGroup.ApiGroup<Id, "charlotteJobs"> | HttpApiGroup.ApiGroup<Id, "charlotteEvents">,
  never,
  JobManager | RunStore | Streams | FileSystem.FileSystem
> => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the groups are looked up by name, and only they are used
  const ours = api as unknown as WithJobs<Id>
  return Layer.mergeAll(jobs(ours, options), events(ours, options))
}

/**
 * The handlers of the groups of `JobsApi.JobsApi`, for the API of an application on a server of Node's. Authentication and the
 * limit on the size of bodies (1 MiB here) are the application's.
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
