/**
 * The handlers that start jobs of kinds.
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Context, Effect, Layer, Option, Predicate } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { invalidConfig } from "../../domain/invalidConfig.js"
import { JobManager } from "../../manager/JobManager.js"
import type { RunStore } from "../../store/RunStore.js"
import type { Runs } from "../../store/Runs.js"
import type { RequestRefused } from "../contract/errors.js"
import { Submitted } from "../contract/Job.js"
import { type AnyKind, type Group, Kinds } from "../contract/Kinds.js"
import { decodeStartFields } from "../contract/Parameters.js"
import * as Managers from "./Managers.js"
import * as Metrics from "./Metrics.js"
import { readJsonBody } from "./readJsonBody.js"
import { withRetryAfter } from "./withRetryAfter.js"

/** The kinds among the groups of an API. */
export type KindsOf<Groups> = Groups extends { readonly "~kinds": infer K } ? K : never

/**
 * The services that an API needs: the managers of its kinds and `Runs`, or `JobManager` if it names no kinds.
 *
 * @since 0.2.0
 * @category types
 */
export type Requirements<Groups> = [KindsOf<Groups>] extends [never]
  ? JobManager | RunStore
  : ManagerOf<KindsOf<Groups>> | Runs

type ManagerOf<K> = K extends Effect.Effect<unknown, never, infer R> ? R : never

/** The kinds of an API; none if it does not name any. */
const kindsOf = ({
  groups
}: {
  readonly groups: Readonly<Record<string, unknown>>
}): Option.Option<ReadonlyArray<AnyKind>> => {
  const group = groups["kinds"]
  return Predicate.hasProperty(group, "annotations") && Context.isContext(group.annotations)
    ? Context.getOption(group.annotations, Kinds)
    : Option.none()
}

/** The managers of the kinds of an API, which are among these groups. */
export const managers = <Groups>(
  api: { readonly groups: Readonly<Record<string, unknown>> },
  { kind = JobManager.kind }: { readonly kind?: string }
): Layer.Layer<Managers.Managers, never, Requirements<Groups>> => {
  const layer = Option.match(kindsOf(api), { onNone: () => Managers.ofJobManager(kind), onSome: Managers.ofKinds })
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the kinds come from the groups
  return layer as Layer.Layer<Managers.Managers, never, Requirements<Groups>>
}

/** Checks only the envelope: the manager decodes the configuration and reports every invalid field. */
const start = ({ manager }: Managers.Managed, request: HttpServerRequest) =>
  Effect.gen(function* () {
    const body = yield* readJsonBody(request)
    if (!Predicate.isRecord(body)) return yield* invalid([], "must be an object")
    const { config, ...given } = body
    const options = yield* Effect.mapError(decodeStartFields(given), invalidConfig)
    if (!("config" in body)) return yield* invalid(["config"], "is missing")
    // oxlint-disable-next-line typescript/consistent-type-assertions -- the manager takes what it can decode
    const id = yield* manager.start(config as never, options)
    return new Submitted({ id })
  }).pipe(withRetryAfter, Metrics.start)

const invalid = (path: ReadonlyArray<string>, message: string) => new InvalidJobConfig({ issues: [{ path, message }] })

export const layer = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): Layer.Layer<HttpApiGroup.ApiGroup<Id, "kinds">, never, Managers.Managers> =>
  Option.match(kindsOf(api), {
    // oxlint-disable-next-line typescript/consistent-type-assertions -- an API that does not name its kinds has no such group
    onNone: () => Layer.empty as Layer.Layer<never> as Layer.Layer<HttpApiGroup.ApiGroup<Id, "kinds">>,
    onSome: () => groupOf(api)
  })

const groupOf = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
) => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the group is looked up by name, and only it is used
  const withKinds = api as unknown as HttpApi.HttpApi<Id, Group<AnyKind>, RequestRefused>
  return HttpApiBuilder.group(withKinds, "kinds", (handlers) =>
    Effect.map(Managers.Managers, ({ all }) => {
      const handle = (rest: typeof handlers, managed: Managers.Managed) =>
        // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the names of the endpoints are unknown
        rest.handleRaw(managed.kind, ({ request }) => start(managed, request)) as unknown as typeof handlers
      // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: all of them are handled
      return all.reduce(handle, handlers) as unknown as ReturnType<typeof handlers.handleRaw<string, never>>
    })
  )
}
