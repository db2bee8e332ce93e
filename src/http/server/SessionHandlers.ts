/**
 * Handlers of the page's sessions. A server without a page has none of these routes.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { DateTime, Effect } from "effect"
import { Api } from "../contract/Api.js"
import { NoSuchRoute, RequestRefused } from "../contract/errors.js"
import { Challenge, EndedSessions, Exchange, Session, SessionCode, SessionProof } from "../contract/Session.js"
import type * as Page from "./page/Page.js"
import { decodeJsonBody } from "./readJsonBody.js"
import { bearerOf, originOf } from "./RequestGuard.js"

const decodeExchange = decodeJsonBody(Exchange)
const decodeChallenge = decodeJsonBody(Challenge)

const retryAfter = HttpApp.appendPreResponseHandler((_, response) =>
  Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", "60"))
)

export const layer = (page: Page.Service | undefined) =>
  HttpApiBuilder.group(Api, "charlotteSession", (handlers) => {
    const withPage = <A, E, R>(request: HttpServerRequest, use: (page: Page.Service) => Effect.Effect<A, E, R>) =>
      page === undefined
        ? Effect.fail(new NoSuchRoute({ method: request.method, path: request.url.split("?", 1)[0] ?? "" }))
        : use(page)

    return handlers
      .handle("open", ({ request }) =>
        withPage(request, ({ code, sessions }) =>
          // A session must not create others.
          Effect.zipRight(
            sessions.has(bearerOf(request)) ? new RequestRefused({ reason: "token" }) : Effect.void,
            Effect.map(
              code,
              (issued) => new SessionCode({ ...issued, expiresAt: DateTime.unsafeMake(issued.expiresAt) })
            )
          )
        )
      )
      .handleRaw("exchange", ({ request }) =>
        withPage(request, ({ exchange }) =>
          Effect.gen(function* () {
            const { origin } = request.headers
            if (origin === undefined) return yield* new RequestRefused({ reason: "origin" })
            const { code } = yield* decodeExchange(request)
            const begun = yield* exchange(code, origin)
            return new Session({ ...begun, expiresAt: DateTime.unsafeMake(begun.expiresAt) })
          }).pipe(Effect.tapErrorTag("TooManyTries", () => retryAfter))
        )
      )
      .handleRaw("prove", ({ request }) =>
        withPage(request, ({ sessions }) =>
          Effect.gen(function* () {
            const { id, nonce } = yield* decodeChallenge(request)
            return new SessionProof({ proof: yield* sessions.prove(id, originOf(request), nonce) })
          })
        )
      )
      .handle("end", ({ request }) =>
        withPage(request, ({ sessions }) => sessions.end(bearerOf(request), toServerResponse(request)))
      )
      .handle("endAll", ({ request }) =>
        withPage(request, ({ endAll }) => Effect.map(endAll, (ended) => new EndedSessions({ ended })))
      )
  })
