/**
 * The contract, from which server, client, OpenAPI document and docs page are derived.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import type { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Context, Option } from "effect"
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
export {
  Job,
  JobKey,
  JobLog,
  JobPage,
  JobProgress,
  JobStep,
  JobTask,
  JobUnit,
  ListedJob,
  RemovedJobs,
  RetriedJobs,
  ServedKind,
  StatusCounts,
  Submitted
} from "./Job.js"
export { AgentStatus, Latency, Minute, ReachedLimit, RetriedSubscriber, System } from "./System.js"
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
    .addError(errorSchemas.Server)
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
 * The endpoints of jobs, with `submit`, and of their events, which have these payloads besides those of the manager.
 *
 * @internal
 */
export const jobsApi = (payloads: () => eventSchemas.Payloads) =>
  withErrors(
    HttpApi.make("charlotte")
      .add(Jobs.groupWithSubmit)
      .add(Events.make(eventSchemas.make(payloads)))
      .prefix("/api/v1")
  )

/**
 * The API of the page in an application's own router.
 *
 * @internal
 */
export class PageApi extends withErrors(
  HttpApi.make("charlotte")
    .add(Jobs.groupOfPage)
    .add(Events.make(eventSchemas.make(() => ({}))))
    .prefix("/api/v1")
) {}

/** For clients and handlers, which do not need the payloads of events. */
export class JobsApi extends jobsApi(() => ({})) {}

/** The same with the endpoints of the daemon. */
export class Api extends serverApi(JobsApi) {}

/**
 * The endpoints of some kinds, with these endpoints of jobs.
 *
 * @internal
 */
export const ofKinds = <K extends Kinds.AnyKind, Group extends typeof Jobs.group | typeof Jobs.groupWithSubmit>(
  kinds: ReadonlyArray<K>,
  { jobs, payloads }: { readonly jobs: Group; readonly payloads: eventSchemas.Payloads }
) =>
  withErrors(
    HttpApi.make("charlotte")
      .add(Kinds.group(kinds))
      .add(jobs)
      .add(Events.make(eventSchemas.make(() => ({ ...payloads, ...Kinds.payloads(kinds) }))))
      .prefix("/api/v1")
      .annotate(HttpApi.AdditionalSchemas, Kinds.documented(kinds))
  )
