import { describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Logger, Redacted, Scope, Tracer } from "effect"
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { RuntimeDirectory } from "../../../src/http/SocketPath.js"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as requests from "../requests.js"
import { worldOf } from "../stub.js"
import * as World from "../world.js"

/** What comes of trying to listen there. */
const listening = (options: Http.Server.Options) =>
  Effect.map(
    Layer.build(Http.Server.layer(options).pipe(Layer.provide(World.idle))),
    (context) => Context.get(context, Http.Server.Server).addresses
  )

describe("request tracing", () => {
  it.scopedLive("makes a span for a request to the API if a tracer is configured, and none for a probe", () =>
    Effect.gen(function* () {
      const own = yield* Effect.tracer
      const spans: Array<string> = []
      const tracer = Tracer.make({
        span: (name, ...options) => {
          spans.push(name)
          return own.span(name, ...options)
        },
        context: (f, fiber) => own.context(f, fiber)
      })
      const socket = `${yield* TemporaryDirectory.make}/socket`
      yield* Layer.build(
        Http.Server.layer({ listen: { socket } }).pipe(
          Layer.provide(World.idle),
          Layer.provide(Layer.setTracer(tracer))
        )
      )
      const client = yield* Http.JobClient.make({ socket })
      yield* client.health
      expect(spans).not.toContain("http.server GET")
      yield* client.list()
      expect(spans).toContain("http.server GET")
    })
  )
})

describe("unix socket", () => {
  it.scopedLive("has mode 0600 whatever the umask is, and is removed on shutdown", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const socket = `${directory}/socket`
      yield* Effect.acquireRelease(
        Effect.sync(() => process.umask(0)),
        (before) => Effect.sync(() => process.umask(before))
      )
      yield* Effect.scoped(
        Effect.map(listening({ listen: { socket } }), () => {
          expect(lstatSync(socket).mode & 0o777).toBe(0o600)
          expect(process.umask()).toBe(0)
        })
      )
      expect(readdirSync(directory)).toEqual([])
    })
  )

  it.scopedLive("replaces the stale socket of a killed server, but neither a live one nor a file", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const socket = `${directory}/socket`
      yield* Effect.promise(() => leave(socket))
      expect(lstatSync(socket).isSocket()).toBe(true)
      expect(yield* listening({ listen: { socket } })).toEqual([{ socket }])

      const refused = (socket: string) =>
        Effect.map(Effect.flip(Effect.scoped(listening({ listen: { socket } }))), ({ message }) => message)
      expect(yield* refused(socket)).toBe(`cannot listen on ${socket}: another process listens on it`)
      writeFileSync(`${directory}/file`, "mine")
      expect(yield* refused(`${directory}/file`)).toContain("the file is not a socket")
      expect(yield* refused(`${directory}/nowhere/socket`)).toContain("the directory does not exist")
      // The one that lives still does.
      const client = yield* Http.JobClient.make({ socket })
      yield* client.health
    })
  )

  it.scopedLive("maps a path over the kernel's limit to a shorter one, for server and client", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const deep = `${directory}/${"x".repeat(150)}`
      mkdirSync(deep)
      const runtime = `${directory}/runtime`
      for (const path of [
        `${directory}/${"socket".repeat(20)}`,
        `${directory}/${"socket".repeat(20)}2`,
        `${deep}/socket`,
        `${deep}/socket2`
      ]) {
        yield* Effect.gen(function* () {
          const [address] = yield* listening({ listen: { socket: path } })
          const actual = address !== undefined && "socket" in address ? address.socket : ""
          expect(Buffer.byteLength(actual)).toBeLessThanOrEqual(100)
          expect(lstatSync(actual).isSocket()).toBe(true)
          const client = yield* Http.JobClient.make({ socket: path })
          yield* client.health
        }).pipe(Effect.provideService(RuntimeDirectory, runtime))
      }
      // Four of them at the same time, and none in the way of another.
      expect(readdirSync(directory).filter((name) => name.endsWith(".sock")).length).toBe(2)
      expect(readdirSync(runtime).length).toBe(2)
      expect(lstatSync(runtime).mode & 0o777).toBe(0o700)

      chmodSync(runtime, 0o755)
      const error = yield* Effect.flip(
        Effect.provideService(listening({ listen: { socket: `${deep}/third` } }), RuntimeDirectory, runtime)
      )
      expect(error.message).toContain("other users have access to it; its mode must be 0700")
    })
  )
})

/** A socket that nobody listens on: its server is gone without a word. */
const leave = (socket: string) =>
  new Promise<void>((resolve) => {
    const server = createServer().listen(socket, () => {
      // The file stays: it is the handle that would remove it.
      renameSync(socket, `${socket}.kept`)
      server.close(() => {
        renameSync(`${socket}.kept`, socket)
        resolve()
      })
    })
  })

describe("TCP port", () => {
  it.scopedLive("listens on loopback only and requires a token", () =>
    Effect.gen(function* () {
      const token = World.token
      const refused = (options: Http.Server.Options) =>
        Effect.map(Effect.flip(listening(options)), ({ message }) => message)
      for (const host of ["0.0.0.0", "::", "192.168.0.1", "example.com", "127.0.0.256", ""]) {
        expect(yield* refused({ listen: { host, port: 0 }, token })).toContain("not a loopback address")
      }
      expect(yield* refused({ listen: { port: 0 } })).toContain("a port requires a token")
      expect(yield* refused({ listen: { port: 0 }, token: Redacted.make("short") })).toContain("at least 32 characters")
      const [address] = yield* listening({ listen: { host: "localhost", port: 0 }, token })
      expect(address).toEqual({ host: "127.0.0.1", port: expect.any(Number) })
      const [other] = yield* listening({ listen: { host: "127.0.0.9", port: 0 }, token })
      expect(other).toEqual({ host: "127.0.0.9", port: expect.any(Number) })
    })
  )
})

describe("server", () => {
  it.scopedLive("disconnects a client whose body times out, without waiting for it", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ requestTime: 100 })
      const answer = yield* requests.raw(
        { socketPath: world.socket },
        "POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
      )
      expect(answer).toMatch(/^HTTP\/1.1 408 /)
      const headers = yield* requests.raw({ socketPath: world.socket }, "GET /healthz HTTP/1.1\r\nhost: local")
      expect(headers).toMatch(/^HTTP\/1.1 408 /)
    })
  )

  it.scopedLive("refuses a body over the size limit before or while it is sent", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxBody: 1_000 })
      const where = { socketPath: world.socket }
      const head = "POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      const refused = { _tag: "RequestRefused", reason: "size" }
      const large = JSON.stringify({ ...config, tasksDir: "x".repeat(2_000) })
      const headers = { "content-type": "application/json" }
      expect(yield* world.send({ method: "POST", path: "/api/v1/jobs", headers, body: large })).toMatchObject({
        status: 413,
        json: refused
      })
      // Announced, and not sent.
      const announced = yield* requests.send(where, {
        method: "POST",
        path: "/api/v1/jobs",
        headers: { ...headers, "content-length": "1001" },
        unfinished: true
      })
      expect(announced).toMatchObject({ status: 413, json: refused })
      // Not announced, and without an end.
      const chunk = `3e8\r\n${"x".repeat(1_000)}\r\n`
      const chunked = yield* Effect.race(
        requests.raw(
          where,
          `${head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`
        ),
        Effect.never
      )
      expect(chunked).toMatch(/^HTTP\/1.1 413 /)
      // Only asked for: there is no 100 before the 413.
      const asked = yield* requests.raw(
        where,
        `${head}connection: close\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n`
      )
      expect(asked).toMatch(/^HTTP\/1.1 413 /)
    })
  )

  it.scopedLive("responds to Expect: 100-continue", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const body = JSON.stringify(config)
      const answer = yield* requests.raw(
        { socketPath: world.socket },
        `POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      )
      expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 /)
    })
  )

  it.scopedLive("limits the number of connections", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxConnections: 2, requestTime: "1 minute" })
      const where = { socketPath: world.socket }
      const held = yield* Effect.replicateEffect(Effect.fork(requests.raw(where, "GET")), 2)
      // A third one is closed without a word, as soon as there are two.
      yield* Effect.repeat(
        Effect.scoped(requests.raw(where, "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")),
        { until: (answer) => answer === "" }
      )
      yield* Effect.forEach(held, Fiber.interrupt)
    })
  )

  it.scopedLive("responds to a defect with InternalError and logs its cause", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ cause, message }) => logged.push(`${String(message)} ${String(cause)}`))
      )
      const world = yield* worldOf({ start: () => Effect.die(new Error("a secret of ours")) }).pipe(
        Effect.provide(logger)
      )
      const answer = yield* world.send({
        method: "POST",
        path: "/api/v1/jobs?token=hidden",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(config)
      })
      expect(answer).toMatchObject({
        status: 500,
        json: { _tag: "InternalError", message: "internal error; see the log of the server" }
      })
      expect(answer.headers["content-type"]).toBe("application/json")
      expect(answer.text).not.toMatch(/secret|\.ts|at /)
      expect(logged.filter((line) => line.includes("a secret of ours")).length).toBe(1)
      expect(logged.join()).toContain("POST /api/v1/jobs")
      expect(logged.join()).not.toContain("hidden")
    })
  )

  it.scopedLive("sends security headers with every response", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const path of [
        "/healthz",
        "/docs",
        "/openapi.json",
        "/metrics",
        "/nowhere",
        "/api/v1/jobs",
        "/api/v1/jobs/x"
      ]) {
        const { headers } = yield* world.send({ path })
        expect(headers).toMatchObject({
          "cache-control": "no-store",
          "content-security-policy": expect.stringContaining("default-src 'none'"),
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY"
        })
        expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([])
      }
    })
  )

  it.scopedLive("shuts down in time: drains requests in flight, then closes connections", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const released = yield* Deferred.make<void>()
      const methods = { stopAllBy: () => Effect.as(Deferred.await(released), []), activeCount: Effect.never }
      const world = yield* Scope.extend(worldOf(methods, {}, { drain: 300 }), scope)
      const where = { socketPath: world.socket }
      const slow = yield* requests.connect(where)
      const endless = yield* requests.connect(where)
      const upload = yield* requests.connect(where)
      const idle = yield* requests.connect(where)
      const body = 'content-type: application/json\r\ncontent-length: 13\r\n\r\n{"all": true}'
      slow.write(`POST /api/v1/jobs/stop HTTP/1.1\r\nhost: localhost\r\n${body}`)
      endless.write("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")
      upload.write(
        "POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
      )
      idle.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
      yield* idle.has(/^HTTP\/1.1 200 .*pid/s)

      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* idle.closed
      // On a connection that is open still, nothing more is taken.
      slow.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
      yield* Deferred.succeed(released, undefined)
      yield* slow.closed
      expect(slow.text()).toMatch(/^HTTP\/1.1 200 .*connection: close/s)
      expect(slow.text()).not.toContain("pid")
      yield* Fiber.join(closing)
      yield* endless.closed
      yield* upload.closed
      expect(endless.text() + upload.text()).toBe("")
    })
  )
})
