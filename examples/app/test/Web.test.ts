import * as Cookies from "@effect/platform/Cookies"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, it } from "@effect/vitest"
import { Runs } from "charlotte"
import { ConfigProvider, Effect, Layer, Redacted, Ref } from "effect"
import { Api } from "../src/web/Api.ts"
import * as Web from "../src/web/Web.ts"
import { database } from "./database.ts"

const accounts = { ada: { password: "countess", can: "act" }, grace: { password: "cobol", can: "read" } }

const webWith = (secret: string) =>
  Web.layer.pipe(
    Layer.provideMerge(Layer.merge(NodeHttpServer.layerTest, database)),
    Layer.provide(
      Layer.setConfigProvider(ConfigProvider.fromJson({ ACCOUNTS: JSON.stringify(accounts), SESSION_SECRET: secret }))
    )
  )

const web = webWith("a secret of this test")

/** Clients of the shop that keep their cookies, as a browser does. */
const browser = Effect.gen(function* () {
  const withCookies = HttpClient.withCookiesRef(yield* Ref.make(Cookies.empty))
  return {
    http: withCookies(yield* HttpClient.HttpClient),
    ...(yield* HttpApiClient.make(Api, { transformClient: withCookies }))
  }
})

const signedIn = (name: keyof typeof accounts) =>
  Effect.tap(browser, (shop) =>
    shop.login.signIn({ payload: { name, password: Redacted.make(accounts[name].password) } })
  )

const order = { path: { number: 7 }, payload: { customer: "ada@example.com", cents: 1999 } }
const day = "2026-01-31"

it.scoped("the shop takes orders of those who have signed in only", () =>
  Effect.gen(function* () {
    const stranger = yield* browser
    expect(yield* Effect.flip(stranger.orders.place(order))).toMatchObject({ _tag: "Unauthorized" })
    const wrong = { name: "ada", password: Redacted.make("cobol") }
    expect(yield* Effect.flip(stranger.login.signIn({ payload: wrong }))).toMatchObject({ _tag: "Unauthorized" })
    const forged = yield* HttpClient.put("/orders/7", { headers: { cookie: "session=eyJuYW1lIjoiYWRhIn0.x" } })
    expect(forged.status).toBe(401)

    const shop = yield* signedIn("grace")
    expect(yield* shop.orders.place(order)).toEqual(yield* shop.orders.place(order))
    expect(
      yield* Effect.flip(shop.orders.place({ ...order, payload: { customer: "bob@example.com", cents: 1 } }))
    ).toMatchObject({
      _tag: "IdempotencyKeyReused"
    })
  }).pipe(Effect.provide(web))
)

it.scoped("the shop does not start with an empty secret, with which anybody could sign a session", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Layer.build(webWith("")))
    expect(String(error)).toContain("SESSION_SECRET")
  })
)

it.scoped("a report is approved by a person who may act, under the name of the login", () =>
  Effect.gen(function* () {
    const [ada, grace] = yield* Effect.all([signedIn("ada"), signedIn("grace")])
    const runs = yield* Runs.Runs
    const { job } = yield* grace.reports.start({ path: { day } })
    expect(yield* Effect.flip(grace.reports.approve({ path: { day } }))).toMatchObject({ _tag: "Forbidden" })
    yield* ada.reports.approve({ path: { day } })
    expect(yield* Effect.flip(ada.reports.approve({ path: { day: "2026-02-01" } }))).toMatchObject({ _tag: "NotFound" })
    expect(yield* runs.list()).toMatchObject([{ id: job, labels: { day } }])
  }).pipe(Effect.provide(web))
)

it.scoped("the page of the jobs is behind the login, and a person who may only read stops nothing there", () =>
  Effect.gen(function* () {
    const stranger = yield* Effect.flatMap(browser, ({ http }) => http.get("/jobs"))
    expect([stranger.status, stranger.headers["location"]]).toEqual([303, "/login"])

    const [ada, grace] = yield* Effect.all([signedIn("ada"), signedIn("grace")])
    const { job } = yield* grace.orders.place(order)
    const jobs = yield* Effect.flatMap(grace.http.get("/jobs/api/v1/jobs"), ({ json }) => json)
    expect(jobs).toMatchObject({ jobs: [{ id: job, status: "pending", labels: { order: "7" } }] })
    const stop = ({ http }: Effect.Effect.Success<typeof browser>) =>
      http.post(`/jobs/api/v1/jobs/${job}/stop`, {
        headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" }
      })
    expect((yield* stop(grace)).status).toBe(403)
    expect(yield* Effect.flatMap(stop(ada), ({ json }) => json)).toMatchObject({ status: "cancelled" })
  }).pipe(Effect.provide(web))
)
