/**
 * The requests of the contract by group and name, such as `requests.charlotteJobs.pin({ path, urlParams })`.
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import type * as HttpClient from "@effect/platform/HttpClient"
import { Data, Effect, Predicate, Record, type Types } from "effect"
import { Api } from "../contract/Api.js"
import type * as ClientError from "./ClientError.js"

type GroupsOf<A> = A extends HttpApi.HttpApi<string, infer Groups, infer _E, infer _R> ? Groups : never
type ErrorOf<A> = A extends HttpApi.HttpApi<string, infer _Groups, infer E, infer _R> ? E : never

type Groups = GroupsOf<typeof Api>

/** An option that a caller has may be undefined; it is then left out of the request. */
type Options<A> = { readonly [K in keyof A]: {} extends Pick<A, K> ? A[K] | undefined : A[K] }

type Method<Endpoint, E> =
  Endpoint extends HttpApiEndpoint.HttpApiEndpoint<
    string,
    infer _Method,
    infer Path,
    infer UrlParams,
    infer Payload,
    infer Headers,
    infer Success,
    infer Error,
    infer _R,
    infer _RE
  >
    ? (
        request: Types.Simplify<
          ([Path] extends [never] ? {} : { readonly path: Path }) &
            ([UrlParams] extends [never] ? {} : { readonly urlParams: Options<UrlParams> }) &
            ([Headers] extends [never] ? {} : { readonly headers: Options<Headers> }) &
            ([Payload] extends [never] ? {} : { readonly payload: Payload })
        >
      ) => Effect.Effect<Success, Exclude<Error | E, ClientError.TransportError> | ClientError.ClientError>
    : never

type OfGroup<Group extends HttpApiGroup.HttpApiGroup.Any> = {
  readonly [
    Endpoint in HttpApiGroup.HttpApiGroup.Endpoints<Group> as HttpApiEndpoint.HttpApiEndpoint.Name<Endpoint>
  ]: Method<Endpoint, HttpApiGroup.HttpApiGroup.Error<Group> | ErrorOf<typeof Api>>
}

export type Requests = {
  readonly [Group in Groups as HttpApiGroup.HttpApiGroup.Name<Group>]: OfGroup<Group>
}

interface ClientOptions {
  readonly httpClient: HttpClient.HttpClient
  readonly transformResponse: (effect: Effect.Effect<unknown, unknown>) => Effect.Effect<unknown, unknown>
}

type Derive = (
  api: typeof Api,
  options: ClientOptions & { readonly group: string; readonly endpoint: string }
) => Effect.Effect<(request: unknown) => Effect.Effect<unknown, { readonly _tag: string }>>

// oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: `Requests` says which groups and endpoints there are
const derive = HttpApiClient.endpoint as unknown as Derive

/** An object whose properties are made as they are read. */
const lazily = (make: (name: string) => unknown): object =>
  new Proxy({}, { get: (_, name) => (typeof name === "string" ? make(name) : undefined) })

/** The parameters and headers of a request without those that are undefined. */
const withoutUndefined = (request: object): object =>
  Record.map({ ...request }, (part: unknown, name) =>
    name === "payload" || !Predicate.isRecord(part) ? part : Record.filter(part, Predicate.isNotUndefined)
  )

/**
 * Derives each request when it is first sent: a command sends only one, and to derive all would take 9 % more CPU, 21 ms of 244 (user
 * time of `charlotte jobs` on Node 24, the median of 10 pairs of runs).
 */
export const make = (
  options: ClientOptions,
  translateErrors: ReturnType<typeof ClientError.translateErrors>
): Effect.Effect<Requests> =>
  Effect.gen(function* () {
    const derived = yield* Effect.cachedFunction((names: { readonly group: string; readonly endpoint: string }) =>
      derive(Api, { ...options, ...names })
    )
    const requests = lazily((group) =>
      lazily((endpoint) => {
        const send = derived(Data.struct({ group, endpoint }))
        return (request: object) => translateErrors(Effect.flatMap(send, (send) => send(withoutUndefined(request))))
      })
    )
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: the contract says which requests there are
    return requests as Requests
  })
