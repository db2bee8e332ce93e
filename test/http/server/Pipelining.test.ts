/** Requests that are sent on one connection before the answer to the one before has come. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { figures } from "../../support/figures.js"
import { isLong } from "../../support/long.js"
import { config } from "../../support/jobs.js"
import * as Application from "../application.js"
import * as requests from "../requests.js"
import * as World from "../world.js"

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`

const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** Sends the same request many times on one connection, and closes it once the first answer begins. */
const pipelineAndClose = (where: requests.Where, path: string, count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* requests.connect(where)
      connection.write(get(path).repeat(count))
      yield* connection.has(/^HTTP\/1\.1 200 /)
    })
  )

const openStreams = (world: World.Scripted) =>
  Effect.map(world.send({ path: "/metrics" }), ({ text }) => Number(/^charlotte_streams (\d+)$/m.exec(text)?.[1]))

/** Dies if it never comes to this. */
const settles = (streams: Effect.Effect<number>, count: number) =>
  Effect.repeat(Effect.delay(streams, "10 millis"), { until: (open) => open === count }).pipe(
    Effect.timeoutTo({ duration: "2 minutes", onSuccess: () => true, onTimeout: () => false })
  )

describe("pipelined requests", () => {
  const connections = isLong ? 40 : 2
  const each = 250

  it.scopedLive(
    `${connections * each} for event streams on ${connections} closed connections leave no stream open`,
    () =>
      Effect.gen(function* () {
        const world = yield* World.make()
        const where = { socketPath: world.socket }
        yield* Effect.replicateEffect(pipelineAndClose(where, "/api/v1/events", each), connections)
        expect(yield* settles(openStreams(world), 0)).toBe(true)
        figures(`${connections * each} pipelined and cut requests for event streams leave 0 open`)
      }),
    300_000
  )

  it.scopedLive("for the event stream of a job leave no stream open", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.bySocket.start(config)
      yield* pipelineAndClose({ socketPath: world.socket }, `/api/v1/jobs/${id}/events`, 100)
      expect(yield* settles(openStreams(world), 0)).toBe(true)
    })
  )

  it.scopedLive("for event streams use one permit per connection", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxStreams: 2 })
      const connection = yield* requests.connect({ socketPath: world.socket })
      connection.write(get("/api/v1/events").repeat(100))
      yield* connection.has(/^HTTP\/1\.1 200 /)
      expect(yield* openStreams(world)).toBe(1)
      expect(connection.text()).not.toContain(" 503 ")
    })
  )

  it.scopedLive("in an application's API leave no stream open", () =>
    Effect.gen(function* () {
      const { where } = yield* Application.make({ maxStreams: 2 })
      yield* pipelineAndClose(where, "/api/v1/events", 100)
      const opens = Effect.scoped(
        Effect.map(requests.open(where, { path: "/api/v1/events" }), ({ statusCode }) => statusCode ?? 0)
      )
      const both: Effect.Effect<number, never, Scope.Scope> = Effect.zipRight(
        requests.open(where, { path: "/api/v1/events" }),
        opens
      )
      expect(yield* settles(Effect.scoped(both), 200)).toBe(true)
    })
  )

  it.scopedLive("get their responses in order", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const connection = yield* requests.connect({ socketPath: world.socket })
      connection.write(get("/healthz") + get("/nowhere") + post("/api/v1/jobs", "{") + get("/readyz"))
      yield* connection.has(/ready":true/)
      expect([...connection.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
        "200",
        "404",
        "400",
        "200"
      ])
    })
  )

  it.scopedLive("close the connection if more than 256 are pending", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const connection = yield* requests.connect({ socketPath: world.socket })
      connection.write(get("/api/v1/events").repeat(1_000))
      yield* connection.closed
      expect(yield* settles(openStreams(world), 0)).toBe(true)
    })
  )
})
