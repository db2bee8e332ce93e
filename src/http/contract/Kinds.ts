/**
 * Endpoints that start jobs of kinds: one for each, with the configuration of the kind as its body.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Context, type Effect, type Option, Schema } from "effect"
import type { StartError, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Operations } from "../../manager/internal/Operations.js"
import type * as JobKind from "../../manager/JobKind.js"
import type * as JobManager from "../../manager/JobManager.js"
import type { ManagedJob } from "../../manager/ManagedJob.js"
import { described } from "./described.js"
import * as errorSchemas from "./errorSchemas.js"
import type { Payloads } from "./eventSchemas.js"
import { Submitted } from "./Job.js"
import { type StartFields, startFields } from "./Parameters.js"

/**
 * The operations of the API on jobs of any kind.
 *
 * @since 0.2.0
 * @category models
 */
export interface AnyManager
  extends Operations, Pick<JobManager.Service<unknown, never>, "start" | "events" | "allEvents"> {
  /** Accepts the signals that its kind declares. */
  readonly signal: (
    id: JobId,
    name: never,
    payload: never,
    options?: JobManager.SignalOptions
  ) => ReturnType<JobManager.Service<unknown, never>["signal"]>
  readonly get: (id: JobId) => Effect.Effect<Option.Option<Pick<ManagedJob<unknown>, "phase">>>
}

/**
 * A kind of job whose tag provides its manager.
 *
 * @since 0.2.0
 * @category models
 */
export type AnyKind = JobKind.Any & Effect.Effect<AnyManager, never, unknown>

/**
 * The body of `POST /kinds/:kind/jobs`.
 *
 * @since 0.2.0
 * @category models
 */
export interface Start<K extends JobKind.Any> extends StartFields {
  /** The encoded configuration. */
  readonly config: JobKind.Encoded<K>
}

/**
 * The endpoint that starts jobs of a kind.
 *
 * @since 0.2.0
 * @category api
 */
export type Endpoint<K extends JobKind.Any> = K extends JobKind.Any
  ? HttpApiEndpoint.HttpApiEndpoint<K["kind"], "POST", never, never, Start<K>, never, Submitted, StartError>
  : never

/**
 * The group `kinds`, with an endpoint for each kind.
 *
 * @since 0.2.0
 * @category api
 */
export interface Group<K extends JobKind.Any> extends HttpApiGroup.HttpApiGroup<"kinds", Endpoint<K>, StoreError> {
  /** Only in its type. */
  readonly "~kinds": K
}

/** The kinds of a group, as an annotation. */
export class Kinds extends Context.Tag("charlotte/http/Kinds")<Kinds, ReadonlyArray<AnyKind>>() {}

const endpoint = ({ config, kind }: JobKind.Any) =>
  HttpApiEndpoint.post(kind, `/kinds/${kind}/jobs`)
    .setPayload(Schema.Struct({ config: Schema.encodedSchema(Schema.asSchema(config)), ...startFields }))
    .addSuccess(Submitted, { status: 201 })
    .addError(errorSchemas.Start)
    .annotateContext(
      described(
        `Start a job of kind ${kind}`,
        "Responds as soon as the job is recorded and runs, or waits: whenFull: queue records it as pending if no permit is free, startAt or delay (milliseconds) let it start later, and at most one job holds a key. With an idempotencyKey, it is safe to retry: the same key returns the same job."
      )
    )

/** Throws if two kinds have the same name, which is a bug of the application. */
export const group = <K extends AnyKind>(kinds: ReadonlyArray<K>): Group<K> => {
  const names = kinds.map(({ kind }) => kind)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Error(`two kinds of job are named ${twice}`)
  const empty = HttpApiGroup.make("kinds")
    .addError(errorSchemas.Store)
    .annotateContext(OpenApi.annotations({ title: "kinds", description: "Start jobs, by their kind" }))
    .annotate(Kinds, kinds)
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: one endpoint for each of the kinds
  return kinds.reduce((group, kind) => group.add(endpoint(kind)) as typeof group, empty) as unknown as Group<K>
}

/** The payloads of all events that the kinds declare. */
export const payloads = (kinds: ReadonlyArray<JobKind.Any>): Payloads => {
  const all = kinds.flatMap(({ events = {} }) => Object.entries(events))
  return Object.fromEntries(
    all.map(([type]) => [
      type,
      Schema.Union(...all.filter(([other]) => other === type).map(([, payload]) => encodedOf(payload)))
    ])
  )
}

const encodedOf = (schema: Schema.Schema.All): Schema.Schema<unknown> =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: only its AST is used
  Schema.encodedSchema(Schema.asSchema(schema)) as Schema.Schema<unknown>

/** Further schemas for the OpenAPI document: the config, result, error and signals of each kind. */
export const documented = (kinds: ReadonlyArray<JobKind.Any>): ReadonlyArray<Schema.Schema.All> =>
  kinds.flatMap(({ config, error, kind, signals = {}, success }) =>
    Object.entries({
      Config: config,
      Success: success,
      Error: error,
      ...Object.fromEntries(Object.entries(signals).map(([name, payload]) => [`Signal.${name}`, payload]))
    }).map(([name, schema]) => encodedOf(schema).annotations({ identifier: `${kind}.${name}` }))
  )
