/**
 * The contract of a server of tasks, from which server, client, OpenAPI document and docs page are derived.
 *
 * @since 0.1.0
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Contract from "../../http/contract/Api.js"
import type * as Events from "../../http/contract/Events.js"
import * as Jobs from "../../http/contract/Jobs.js"
import type * as Kinds from "../../http/contract/Kinds.js"
import { JobManager } from "../../manager/JobManager.js"
import { payloads } from "../events.js"

export * from "../../http/contract/Api.js"

/**
 * The endpoints of jobs and their events, for an application's own API: `HttpApi.make("app").addHttpApi(JobsApi.JobsApi)`.
 *
 * @since 0.1.0
 * @category api
 */
export class JobsApi extends Contract.jobsApi(() => payloads) {}

/**
 * The endpoints that start jobs of some kinds (`kinds`), and the endpoints of jobs and their events.
 *
 * @since 0.2.0
 * @category api
 */
export type KindsApi<K extends Kinds.AnyKind> = HttpApi.HttpApi<
  "charlotte",
  Kinds.Group<K> | JobsGroup<K> | ReturnType<typeof Events.make>,
  typeof JobsApi extends HttpApi.HttpApi<"charlotte", HttpApiGroup.HttpApiGroup.Any, infer E, never> ? E : never
>

/**
 * The endpoints of jobs, with `POST /jobs` if one of the kinds is `tasks`.
 *
 * @since 0.2.0
 * @category api
 */
export type JobsGroup<K extends Kinds.AnyKind> = (typeof JobManager)["kind"] extends K["kind"]
  ? typeof Jobs.groupWithSubmit
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
  const withTasks = kinds.some(({ kind }) => kind === JobManager.kind)
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: decided by the names of the kinds
  const jobs = (withTasks ? Jobs.groupWithSubmit : Jobs.group) as JobsGroup<K>
  return Contract.ofKinds(kinds, { jobs, payloads: withTasks ? payloads : {} })
}

/**
 * The API of `Server.layer`: `JobsApi` and the endpoints of the daemon.
 *
 * @since 0.1.0
 * @category api
 */
export class Api extends Contract.serverApi(JobsApi) {}
