/** An application with a login and routes of its own, and the page of its jobs below a path. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { JobConfig, JobKind, type RunStore } from "charlotte"
import { type Page, Server } from "charlotte/http"
import { TestManager } from "charlotte/testing"
import { Context, Effect, Layer, Schema, type Scope } from "effect"
import { createServer, request as send } from "node:http"
import * as Mounted from "../../src/http/server/mounted/Page.js"
import { config } from "../support/jobs.js"
import * as requests from "./requests.js"

/** Jobs as those of tasks, which the tests of the page start, but of a kind of the application. */
export class Errand extends JobKind.Tag<Errand>()("tasks", {
  config: JobConfig.JobConfig,
  labels: ({ labels = {} }) => labels
}) {}

/** A configuration of a job of a tenant. */
export const errandOf = (tenant: string) => ({ ...config, labels: { tenant } })

interface Person extends Page.Who {
  readonly tenant: string
}

/** Who is signed in, by the session in the cookie. */
export class People extends Context.Tag("test/People")<People, Map<string, Person>>() {}

const people = (): Map<string, Person> =>
  new Map([
    ["ada", { by: "ada", can: "act", tenant: "acme" }],
    ["rob", { by: "rob", can: "read", tenant: "acme" }],
    ["bea", { by: "bea", can: "act", tenant: "bolt" }]
  ])

const authorize = Effect.gen(function* () {
  const { cookies } = yield* HttpServerRequest
  const person = (yield* People).get(cookies["session"] ?? "")
  return person ?? (yield* new HttpApiError.Unauthorized())
})

class Api extends HttpApi.make("app").add(
  HttpApiGroup.make("hello").add(HttpApiEndpoint.get("hello", "/hello").addSuccess(Schema.String))
) {}

/** Signs in whoever is named, and leads back. */
const login = Effect.map(HttpServerRequest, ({ url }) => {
  const query = new URLSearchParams(url.split("?")[1])
  const [as, to] = [query.get("as"), query.get("to")]
  return as === null || to === null
    ? HttpServerResponse.text("<title>Login</title><h1>Who are you?</h1>", { contentType: "text/html" })
    : HttpServerResponse.redirect(to).pipe(HttpServerResponse.unsafeSetCookie("session", as, { path: "/" }))
})

export interface Options extends Partial<
  Omit<Mounted.MountOptions<typeof Errand, Person, never>, "authorize" | "kinds" | "scope">
> {
  /** Whether a person sees the jobs of the tenant only. */
  readonly isScoped?: boolean
  /** Another scope. */
  readonly scope?: (who: Person) => "all" | { readonly [label: string]: string }
  /** Any by default. */
  readonly port?: number
  /** The router of the application. */
  readonly router?: "HttpApiBuilder" | "HttpLayerRouter"
}

const Hello = HttpApiBuilder.group(Api, "hello", (handlers) => handlers.handle("hello", () => Effect.succeed("hi")))

/** The application, with a manager whose jobs do what a test says. */
export const make = ({ maxJobs = 8, ...options }: Options & { readonly maxJobs?: number } = {}) =>
  makeOver(TestManager.layerOf(Errand, { stopGrace: 200, maxJobs }), options)

/** The application over these jobs. */
export const makeOver = <J, E>(
  jobs: Layer.Layer<J | JobKind.Producer<Errand> | RunStore.RunStore, E>,
  { isScoped = false, scope, port: listened = 0, router = "HttpApiBuilder", ...options }: Options = {}
) =>
  Effect.gen(function* () {
    const page = Mounted.mount({
      path: "/jobs",
      kinds: [Errand],
      authorize,
      login: "/login",
      heartbeat: 50,
      ...options,
      ...(isScoped && { scope: ({ tenant }: Person) => ({ tenant }) }),
      ...(scope && { scope })
    })
    const served =
      router === "HttpApiBuilder"
        ? HttpApiBuilder.serve().pipe(
            Layer.provide(HttpApiBuilder.api(Api)),
            Layer.provide([Hello, page, HttpApiBuilder.Router.use((router) => router.get("/login", login))])
          )
        : HttpLayerRouter.serve(
            Layer.mergeAll(
              page,
              HttpLayerRouter.add("GET", "/login", login),
              HttpLayerRouter.add("GET", "/hello", HttpServerResponse.unsafeJson("hi"))
            ),
            { disableListenLog: true, disableLogger: true }
          )
    const services = yield* Layer.build(
      served.pipe(
        Layer.provideMerge(NodeHttpServer.layer(Server.createServer, { host: "127.0.0.1", port: listened })),
        Layer.provideMerge(jobs),
        Layer.provideMerge(Layer.sync(People, people))
      )
    )
    const { address } = Context.get(services, HttpServer.HttpServer)
    const port = address._tag === "TcpAddress" ? address.port : 0
    const where = { port }
    /** As a person who is signed in. */
    const as = (session: string | undefined, { headers, ...sent }: requests.Sent) =>
      requests.send(where, {
        ...sent,
        headers: { ...(session !== undefined && { cookie: `session=${session}` }), ...headers }
      })
    return { as, port, services, where }
  })

/** What a page sends with what acts. */
export const acting = { "content-type": "application/json", "sec-fetch-site": "same-origin" }

/** A proxy that removes the beginning of each path, and names itself to nobody. */
export const proxy = (
  prefix: string,
  { to }: { readonly to: number }
): Effect.Effect<{ readonly port: number }, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((request, response) => {
          const { headers, method, url = "" } = request
          if (url !== prefix && !url.startsWith(`${prefix}/`)) {
            response.writeHead(404).end()
            return
          }
          const path = url.slice(prefix.length) || "/"
          const forwarded = send(
            {
              host: "127.0.0.1",
              port: to,
              method,
              path,
              headers: { ...headers, host: `127.0.0.1:${to}` },
              agent: false
            },
            (answer) => {
              response.writeHead(answer.statusCode ?? 502, answer.headers)
              answer.pipe(response)
            }
          )
          forwarded.on("error", () => response.destroy())
          response.on("close", () => forwarded.destroy())
          request.pipe(forwarded)
        }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => {
      const address = server.address()
      return { port: typeof address === "object" && address !== null ? address.port : 0 }
    }
  )
