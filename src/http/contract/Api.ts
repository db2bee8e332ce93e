/**
 * The contract, from which server, client, OpenAPI document and docs page are derived.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import type { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Context, Option } from "effect"
import { payloads as taskPayloads } from "../../tasks/events.js"
import * as Daemon from "./Daemon.js"
import * as Events from "./Events.js"
import * as errorSchemas from "./errorSchemas.js"
import * as eventSchemas from "./eventSchemas.js"
import * as Jobs from "./Jobs.js"
import * as Kinds from "./Kinds.js"
import * as sessions from "./Session.js"
import * as system from "./System.js"
import { describe } from "./openApi.js"
import { version } from "./Version.js"

export { Health, Ready } from "./Daemon.js"
export { Diff, DiffFile } from "./Diff.js"
export { Job, JobKey, JobLog, JobPage, JobProgress, JobTask, JobUnit, ListedJob, Submitted } from "./Job.js"
export { AgentStatus, Latency, Minute, ReachedLimit, System } from "./System.js"
export { EndedSessions, Session, SessionCode, SessionProof } from "./Session.js"

const withErrors = <Groups extends HttpApiGroup.HttpApiGroup.Any>(
  api: HttpApi.HttpApi<"charlotte", Groups, HttpApiDecodeError>
) => api.addError(errorSchemas.Malformed).addError(errorSchemas.NotJson).addError(errorSchemas.TooLarge)

/**
 * The API of a server for these jobs. `isOurs` distinguishes Charlotte's own schemas from an application's.
 *
 * @internal
 */
export const serverApi = <Groups extends HttpApiGroup.HttpApiGroup.Any, E>(
  jobs: HttpApi.HttpApi<"charlotte", Groups, E>,
  isOurs: (schema: string) => boolean = () => true
) =>
  HttpApi.make("charlotte")
    .addHttpApi(jobs)
    .add(Daemon.group)
    .add(sessions.group)
    .add(system.group)
    .addError(errorSchemas.Forbidden)
    .addError(errorSchemas.InternalError)
    .addError(errorSchemas.NoSuchRoute)
    .addError(errorSchemas.ShuttingDown)
    .addError(errorSchemas.TooManyHeaders)
    .addError(errorSchemas.Unauthorized)
    .addError(errorSchemas.VersionMismatch)
    .annotate(
      HttpApi.AdditionalSchemas,
      Option.getOrElse(Context.getOption(jobs.annotations, HttpApi.AdditionalSchemas), () => [])
    )
    .annotateContext(
      OpenApi.annotations({
        title: "Charlotte",
        version,
        description: "Jobs that outlive terminals: start them, watch them, stop them.",
        // The token is required on a TCP port only.
        transform: (document) =>
          describe(
            {
              ...document,
              security: [{}, { token: [] }],
              components: { ...document["components"], securitySchemes: { token: { type: "http", scheme: "bearer" } } }
            },
            isOurs
          )
      })
    )

/**
 * The endpoints of jobs and their events, for an application's own API: `HttpApi.make("app").addHttpApi(JobsApi.JobsApi)`.
 *
 * @since 0.1.0
 * @category api
 */
export class JobsApi extends withErrors(
  HttpApi.make("charlotte").add(Jobs.groupWithTasks).add(Events.group).prefix("/api/v1")
) {}

/**
 * The endpoints that start jobs of some kinds (`kinds`), and the endpoints of jobs and their events.
 *
 * @since 0.2.0
 * @category api
 */
export type KindsApi<K extends Kinds.AnyKind> = HttpApi.HttpApi<
  "charlotte",
  Kinds.Group<K> | JobsGroup<K> | typeof Events.group,
  typeof JobsApi extends HttpApi.HttpApi<"charlotte", HttpApiGroup.HttpApiGroup.Any, infer E, never> ? E : never
>

/**
 * The endpoints of jobs, with `POST /jobs` if one of the kinds is `tasks`.
 *
 * @since 0.2.0
 * @category api
 */
export type JobsGroup<K extends Kinds.AnyKind> = "tasks" extends K["kind"]
  ? typeof Jobs.groupWithTasks
  : typeof Jobs.group

/**
 * The API of the jobs of these kinds, for `Server.layer` or an application's own API; `JobsApi.layer` provides its handlers. Its
 * group `kinds` has an endpoint for each kind, which starts a job: `client.kinds.email({ payload: { config } })`. All other
 * endpoints are only for the jobs of these kinds. Two kinds with the same name are a defect.
 *
 * @since 0.2.0
 * @category constructors
 */
export const make = <const K extends Kinds.AnyKind>(kinds: ReadonlyArray<K>): KindsApi<K> => {
  const withTasks = kinds.some(({ kind }) => kind === "tasks")
  const payloads = () => ({ ...(withTasks ? taskPayloads : {}), ...Kinds.payloads(kinds) })
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: decided by the names of the kinds
  const jobs = (withTasks ? Jobs.groupWithTasks : Jobs.group) as JobsGroup<K>
  return withErrors(
    HttpApi.make("charlotte")
      .add(Kinds.group(kinds))
      .add(jobs)
      .add(Events.make(eventSchemas.make(payloads)))
      .prefix("/api/v1")
      .annotate(HttpApi.AdditionalSchemas, Kinds.documented(kinds))
  )
}

/**
 * The API of `Server.layer`: `JobsApi` and the endpoints of the daemon.
 *
 * @since 0.1.0
 * @category api
 */
export class Api extends serverApi(JobsApi) {}
