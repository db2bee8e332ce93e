import { describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { Step } from "charlotte/testing"
import { Array, Chunk, Effect, Fiber, Option, Redacted, Stream, TestClock } from "effect"
import { createServer, type RequestListener, type ServerResponse } from "node:http"
import manifest from "../../../package.json" with { type: "json" }
import { config, unknownId } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Restarting from "../restarting.js"
import * as World from "../world.js"

const { errors } = Http

const collect = <A, E>(stream: Stream.Stream<A, E>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

/** A client of something that is no server of ours. */
const clientOf = (listener: RequestListener) =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const socket = `${directory}/socket`
    yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(listener).listen(socket, () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    return yield* Http.JobClient.make({ socket })
  })

/** Every way to ask for something. */
const calls = (client: Http.JobClient.Service): ReadonlyArray<Effect.Effect<unknown, Error>> => [
  client.start(config),
  client.list(),
  client.get(unknownId),
  client.stop(unknownId),
  client.stopAll,
  client.resume(unknownId),
  Stream.runDrain(client.events(unknownId, { patience: 50 })),
  Stream.runDrain(client.allEvents({ patience: 50 })),
  Stream.runDrain(client.log(unknownId, { file: "x" })),
  client.health,
  client.ready,
  client.shutdown
]

describe("JobClient", () => {
  it.scopedLive("fails every request with DaemonNotRunning, whatever kind of server was to listen there", () =>
    Effect.gen(function* () {
      const directory = yield* TemporaryDirectory.make
      const socket = `${directory}/socket`
      const client = yield* Http.JobClient.make({ socket })
      for (const call of calls(client)) {
        expect(yield* Effect.flip(call)).toEqual(new errors.DaemonNotRunning({ address: socket }))
      }
      expect(new errors.DaemonNotRunning({ address: socket }).message).toBe(`no server listens on ${socket}`)
      const byPort = yield* Http.JobClient.make({ port: 1, token: World.token })
      expect(yield* Effect.flip(byPort.health)).toEqual(new errors.DaemonNotRunning({ address: "127.0.0.1:1" }))
    })
  )

  it.scopedLive("fails with VersionMismatch and the command to restart the daemon", () =>
    Effect.gen(function* () {
      const client = yield* clientOf((request, response) => {
        const mismatch = { _tag: "VersionMismatch", client: request.headers["charlotte-version"], daemon: "9.9.9" }
        response.writeHead(412, { "content-type": "application/json" }).end(JSON.stringify(mismatch))
      })
      for (const call of calls(client)) {
        const error = yield* Effect.flip(call)
        expect(error).toBeInstanceOf(errors.VersionMismatch)
        expect(error.message).toBe(
          `this is charlotte ${manifest.version}, and the daemon is 9.9.9; restart it with: charlotte daemon restart`
        )
      }
    })
  )

  it.scopedLive("of another version may request a shutdown only", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const headers = { "charlotte-version": "9.9.9" }
      const asked = (method: string, path: string) =>
        Effect.map(world.send({ method, path, headers }), ({ status }) => status)
      expect(yield* asked("POST", "/api/v1/jobs/stop")).toBe(412)
      expect(yield* asked("GET", "/healthz")).toBe(412)
      expect(yield* asked("POST", "/api/v1/shutdown")).toBe(202)
    })
  )

  it.scopedLive("fails with RequestRefused without the right token", () =>
    Effect.gen(function* () {
      const { port } = yield* World.make()
      const client = yield* Http.JobClient.make({ port, token: Redacted.make("x".repeat(40)) })
      for (const call of calls(client).filter((call) => call !== client.health)) {
        expect(yield* Effect.flip(call)).toEqual(new errors.RequestRefused({ reason: "token" }))
      }
    })
  )

  it.scopedLive("distinguishes an unexpected response from a failed connection", () =>
    Effect.gen(function* () {
      const page = yield* clientOf((_, response) =>
        response.writeHead(502, { "content-type": "text/html" }).end("<p>Bad")
      )
      for (const call of calls(page)) expect(yield* Effect.flip(call)).toBeInstanceOf(errors.UnexpectedAnswer)
      const gone = yield* clientOf((request) => request.socket.destroy())
      for (const call of calls(gone)) expect(yield* Effect.flip(call)).toBeInstanceOf(errors.ConnectionFailed)
      const nonsense = yield* clientOf((_, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      )
      expect(yield* Effect.flip(nonsense.health)).toBeInstanceOf(errors.UnexpectedAnswer)
    })
  )
})

describe("JobClient of a suspended server", () => {
  const asked = (clients: (client: Http.JobClient.Service) => Effect.Effect<unknown, Error>, patience: string) =>
    Effect.gen(function* () {
      const heard = yield* Effect.makeLatch()
      const client = yield* clientOf(() => heard.unsafeOpen())
      const asking = yield* Effect.fork(Effect.flip(clients(client)))
      yield* heard.await
      yield* TestClock.adjust("29 seconds")
      expect(Option.isNone(yield* Fiber.poll(asking))).toBe(true)
      yield* TestClock.adjust("17 seconds")
      const problem = `no response for ${patience}`
      expect(yield* Fiber.join(asking)).toEqual(new errors.ConnectionFailed({ address: client.address, problem }))
    }).pipe(Effect.scoped)

  it.effect("times out queries and the start of a stream", () =>
    Effect.gen(function* () {
      yield* asked((client) => client.list(), "30 seconds")
      yield* asked((client) => client.get(unknownId), "30 seconds")
      yield* asked((client) => client.health, "30 seconds")
      yield* asked((client) => client.ready, "30 seconds")
      yield* asked((client) => collect(client.events(unknownId)), "45 seconds")
    })
  )
})

describe("JobClient of a server that shuts down", () => {
  it.scopedLive("fails every request with ShuttingDown", () =>
    Effect.gen(function* () {
      const ending = yield* clientOf((_, response) =>
        response.writeHead(503, { "content-type": "application/json" }).end('{"_tag":"ShuttingDown"}')
      )
      const answers = yield* Effect.forEach(calls(ending), Effect.flip)
      expect(answers.map((error) => ("_tag" in error ? error._tag : error))).toEqual(answers.map(() => "ShuttingDown"))
    })
  )
})

describe("JobClient events", () => {
  it.scopedLive("survive server restarts without gaps or duplicates", () =>
    Effect.gen(function* () {
      const { manager, restart, script, socket } = yield* Restarting.make
      const client = yield* Http.JobClient.make({ socket })
      const id = yield* manager.start(config)
      let enough = false
      yield* script.send(
        id,
        (job) =>
          Effect.gen(function* () {
            while (!enough) yield* Effect.delay(job.emit({ type: "counted" }), 2)
          }),
        Step.succeed("done")
      )
      const cursor = yield* Effect.fork(
        collect(client.allEvents().pipe(Stream.takeUntil(({ type }) => type === "job.completed")))
      )
      const following = yield* Effect.forEach(Array.range(1, 10), () => Effect.fork(collect(client.events(id))))
      yield* Effect.repeat(Effect.delay(restart, 60), { times: 12 })
      enough = true
      const count = (yield* collect(manager.events(id))).length
      for (const fiber of following) {
        expect((yield* Fiber.join(fiber)).map(({ seq }) => seq)).toEqual(Array.range(1, count))
      }
      expect((yield* Fiber.join(cursor)).map(({ cursor }) => cursor)).toEqual(Array.range(1, count))
    })
  )

  it.scopedLive("after latest keep their position if the connection is lost before the first event", () =>
    Effect.gen(function* () {
      const { manager, restart, script, socket, streams } = yield* Restarting.make
      const client = yield* Http.JobClient.make({ socket })
      const id = yield* manager.start(config)
      yield* script.send(id, Step.emit({ type: "before" }), Step.flush)
      yield* manager.events(id).pipe(
        Stream.takeUntil(({ type }) => type === "before"),
        Stream.runDrain
      )
      const following = yield* Effect.fork(
        collect(client.allEvents({ after: "latest" }).pipe(Stream.takeUntil(({ type }) => type === "job.completed")))
      )
      yield* streams(1)
      const emit = (type: string) => script.send(id, Step.emit({ type }), Step.flush)
      // While the server is away, too.
      yield* restart.pipe(Effect.zipLeft(emit("during"), { concurrent: true }))
      yield* emit("after")
      yield* script.send(id, Step.succeed("done"))
      expect((yield* Fiber.join(following)).map(({ type }) => type)).toEqual(["during", "after", "job.completed"])
    })
  )

  it.scopedLive("reconnect after the stream limit was reached; a first connection fails at once", () =>
    Effect.gen(function* () {
      const event = (seq: number, type: string) => {
        const at = "2026-01-01T00:00:00.000Z"
        return `id: ${seq}\ndata: ${JSON.stringify({ jobId: unknownId, seq, cursor: seq, at, type })}\n\n`
      }
      const full = { _tag: "RequestRefused", reason: "limit" }
      const asked: Array<string | undefined> = []
      const refuse = (response: ServerResponse) =>
        response.writeHead(503, { "content-type": "application/json" }).end(JSON.stringify(full))
      const client = yield* clientOf(({ url }, response) => {
        asked.push(url?.split("after=")[1])
        if (asked.length === 2 || asked.length === 3) return refuse(response)
        response.writeHead(200, { "content-type": "text/event-stream" })
        return response.end(asked.length === 1 ? event(1, "job.started") : event(2, "job.completed"))
      })
      const events = yield* collect(client.events(unknownId))
      expect(events.map(({ seq }) => seq)).toEqual([1, 2])
      expect(asked).toEqual(["0", "1", "1", "1"])

      const refused = yield* clientOf((_, response) => refuse(response))
      expect(yield* Effect.flip(collect(refused.events(unknownId)))).toEqual(
        new errors.RequestRefused({ reason: "limit" })
      )
    })
  )

  it.scopedLive("fail when the server does not come back within the patience", () =>
    Effect.gen(function* () {
      const { end, manager, socket, streams } = yield* Restarting.make
      const client = yield* Http.JobClient.make({ socket })
      const id = yield* manager.start(config)
      const following = yield* Effect.fork(collect(client.events(id, { patience: 200 })))
      yield* streams(1)
      yield* end
      expect(yield* Effect.flip(Fiber.join(following))).toEqual(new errors.DaemonNotRunning({ address: socket }))
    })
  )

  it.scopedLive("end or fail at once for an ended job, an unknown job and a future position", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const client = world.bySocket
      const id = yield* client.start(config)
      yield* client.stop(id)
      const { length } = yield* collect(client.events(id))
      expect(yield* collect(client.events(id, { after: length }))).toEqual([])
      expect(yield* Effect.flip(collect(client.events(id, { after: 99 })))).toEqual(
        new errors.CursorAhead({ after: 99 })
      )
      expect(yield* Effect.flip(collect(client.allEvents({ after: 99 })))).toEqual(
        new errors.CursorAhead({ after: 99 })
      )
      expect(yield* Effect.flip(collect(client.events(unknownId)))).toMatchObject({
        _tag: "JobNotFound",
        jobId: unknownId
      })
    })
  )
})
