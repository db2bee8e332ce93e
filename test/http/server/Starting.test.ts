/** A server of an application that listens before its handler is attached: `NodeHttpServer.layer` does as soon as it is built. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import { JobsApi, Server } from "charlotte/http"
import { TestManager } from "charlotte/testing"
import { Deferred, Effect, Exit, Layer, Scope } from "effect"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as requests from "../requests.js"

const AppApi = HttpApi.make("app").addHttpApi(JobsApi.JobsApi)

describe("Server.createServer", () => {
  it.scopedLive("responds with 503 and Retry-After while no handler is attached", () =>
    Effect.gen(function* () {
      const socket = `${yield* TemporaryDirectory.make}/socket`
      const where = { socketPath: socket }
      const listens = yield* Deferred.make<void>()
      const opened = yield* Deferred.make<void>()
      const slow = TestManager.layer().pipe(
        Layer.tap(() => Effect.zipRight(Deferred.await(listens), Deferred.await(opened)))
      )
      const node = NodeHttpServer.layer(Server.createServer, { path: socket }).pipe(
        Layer.tap(() => Deferred.succeed(listens, undefined))
      )
      const App = HttpApiBuilder.serve().pipe(
        Layer.provide(HttpApiBuilder.api(AppApi)),
        Layer.provide(JobsApi.layer(AppApi)),
        Layer.provide(slow),
        Layer.provide(node)
      )
      const scope = yield* Scope.make()
      const building = yield* Effect.fork(Layer.buildWithScope(App, scope))
      yield* Deferred.await(listens)

      const early = yield* requests.send(where, { path: "/api/v1/jobs" })
      expect(early).toMatchObject({
        status: 503,
        json: { _tag: "NotReady", message: "not ready: the server is starting, or shutting down" }
      })
      expect(early.headers["retry-after"]).toBe("1")
      const body = JSON.stringify(config)
      const headers = { "content-type": "application/json" }
      const post = { method: "POST", path: "/api/v1/jobs", headers, body }
      expect((yield* requests.send(where, post)).status).toBe(503)

      yield* Deferred.succeed(opened, undefined)
      yield* building
      expect((yield* requests.send(where, post)).status).toBe(201)
      yield* Scope.close(scope, Exit.void)
    })
  )
})
