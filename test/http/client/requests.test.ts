import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { JobId } from "../../../src/domain/JobId.js"
import * as ClientError from "../../../src/http/client/ClientError.js"
import * as requests from "../../../src/http/client/requests.js"

const id = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")

/** Requests to a server that takes all of them, and what it has received. */
const received = Effect.gen(function* () {
  const all = yield* Ref.make<ReadonlyArray<string>>([])
  const httpClient = HttpClient.make((request, url) =>
    Effect.as(
      Ref.update(all, (all) => [...all, `${request.method} ${url.pathname}${url.search}`]),
      HttpClientResponse.fromWeb(request, new Response(null, { status: 204 }))
    )
  ).pipe(HttpClient.mapRequest(HttpClientRequest.prependUrl("http://localhost")))
  const made = yield* requests.make(
    { httpClient, transformResponse: (response) => response },
    ClientError.translateErrors("a server")
  )
  return { jobs: made.charlotteJobs, all }
})

it.effect(
  "a request has the method, the path and the parameters of the contract, without those that are undefined",
  () =>
    Effect.gen(function* () {
      const { all, jobs } = yield* received
      yield* jobs.pin({ path: { id }, urlParams: { by: "ann" } })
      yield* jobs.unpin({ path: { id }, urlParams: { by: undefined } })
      yield* jobs.resume({ path: { id }, urlParams: { usd: 2.5, tokens: undefined, by: undefined } })
      expect(yield* Ref.get(all)).toEqual([
        `POST /api/v1/jobs/${id}/pin?by=ann`,
        `DELETE /api/v1/jobs/${id}/pin`,
        `POST /api/v1/jobs/${id}/resume?usd=2.5`
      ])
    })
)

it.effect("a request that does not encode is an InvalidRequest, and none is sent", () =>
  Effect.gen(function* () {
    const { all, jobs } = yield* received
    const failure = yield* Effect.flip(jobs.limit({ path: { kind: "tasks" }, payload: { maxJobs: 0 } }))
    expect(failure._tag).toBe("InvalidRequest")
    expect(yield* Ref.get(all)).toEqual([])
  })
)
