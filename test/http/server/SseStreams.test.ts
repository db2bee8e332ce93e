import { describe, expect, it } from "@effect/vitest"
import { Step } from "charlotte/testing"
import { Array, Chunk, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { config, unknownId } from "../../support/jobs.js"
import * as eventSource from "../eventSource.js"
import * as World from "../world.js"

const collect = <A>(stream: Stream.Stream<A>) => Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

const socketOf = ({ socket }: { readonly socket: string }) => ({ socketPath: socket })

/** A job that has emitted so many events and then completed: two more. */
const finished = (world: World.Scripted, count: number) =>
  Effect.gen(function* () {
    const id = yield* world.bySocket.start(config)
    const steps = Array.makeBy(count, (n) => Step.emit({ type: "counted", payload: n }))
    yield* World.script(world).send(id, ...steps, Step.succeed("done"))
    yield* Stream.runDrain(world.bySocket.events(id))
    return id
  })

const ids = (frames: ReadonlyArray<eventSource.Frame>) => frames.map(({ id }) => id)

describe("event stream", () => {
  it.scopedLive("sends headers and a comment at once, even for a job without events", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.bySocket.start(config)
      yield* World.script(world).began(id)
      // The only event is behind this stream, and the next one does not come.
      const { frames, status } = yield* eventSource.open(socketOf(world), `/jobs/${id}/events?after=1`)
      expect(status).toBe(200)
      const [first] = yield* collect(Stream.take(frames, 1))
      expect(first?.comment).toBe("charlotte")
    })
  )

  it.scopedLive("replays a finished job, sends its terminal event, and ends", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* finished(world, 1_000)
      const { frames } = yield* eventSource.open(socketOf(world), `/jobs/${id}/events`)
      const all = yield* collect(frames)
      const events = all.filter(({ data }) => data !== undefined)
      expect(ids(events)).toEqual(Array.range(1, 1_002))
      expect(all.at(-1)?.data).toContain("job.completed")
      const [, second] = events.map(({ data = "" }): unknown => JSON.parse(data))
      expect(second).toEqual({
        jobId: id,
        seq: 2,
        cursor: 2,
        type: "counted",
        payload: 0,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)
      })
    })
  )

  it.scopedLive("resumes after Last-Event-ID, or else after ?after=", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* finished(world, 8)
      const from = (query: string, headers = {}) =>
        Effect.gen(function* () {
          const { frames, status } = yield* eventSource.open(socketOf(world), `/jobs/${id}/events${query}`, headers)
          return status === 204 ? "over" : ids(yield* collect(eventSource.events(frames)))
        }).pipe(Effect.scoped)
      expect(yield* from("?after=7")).toEqual([8, 9, 10])
      expect(yield* from("", { "last-event-id": "8" })).toEqual([9, 10])
      expect(yield* from("?after=2", { "last-event-id": "9" })).toEqual([10])
      expect(yield* from("?after=0", { "last-event-id": "10" })).toBe("over")
      expect(yield* from("?after=10")).toBe("over")
    })
  )

  it.scopedLive("of all jobs resumes after a cursor and sends its position before the first event", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      yield* finished(world, 3)
      yield* finished(world, 3)
      const { frames } = yield* eventSource.open(socketOf(world), "/events", { "last-event-id": "7" })
      const three = yield* collect(eventSource.events(frames).pipe(Stream.take(3)))
      expect(ids(three)).toEqual([8, 9, 10])
      const latest = yield* eventSource.open(socketOf(world), "/events?after=latest")
      const [, position] = yield* collect(Stream.take(latest.frames, 2))
      expect(position).toEqual({ id: 10, event: undefined, data: undefined, comment: undefined })
    })
  )

  const bad = ["-1", "x", "1.5", "1e3", "0x1", "99999999999999999999", "latest ", "", " "]

  it.scopedLive("is refused with 400 if the cursor is invalid or in the future", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const running = yield* world.bySocket.start(config)
      const over = yield* finished(world, 2)
      const refused = (path: string, headers: { readonly [name: string]: string } = {}) =>
        Effect.map(world.send({ path: `/api/v1${path}`, headers }), ({ json, status }) => {
          expect({ path, headers, status, json }).toMatchObject({
            path,
            headers,
            status: 400,
            json: { _tag: expect.any(String), message: expect.any(String) }
          })
        })
      for (const path of [`/jobs/${running}/events`, `/jobs/${over}/events`, "/events"]) {
        for (const cursor of [...bad, "1000"]) yield* refused(`${path}?after=${encodeURIComponent(cursor)}`)
        for (const cursor of ["-1", "x", "1.5", "1000"]) yield* refused(path, { "last-event-id": cursor })
        yield* refused(`${path}?after=1`, { "last-event-id": "1000" })
      }
      const nowhere = yield* world.send({ path: `/api/v1/jobs/${unknownId}/events` })
      expect(nowhere).toMatchObject({ status: 404, json: { _tag: "JobNotFound" } })
    })
  )

  it.scopedLive("sends heartbeats without an id", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ heartbeat: 5 })
      const id = yield* world.bySocket.start(config)
      const { frames } = yield* eventSource.open(socketOf(world), `/jobs/${id}/events?after=1`)
      const quiet = yield* collect(Stream.take(Stream.drop(frames, 2), 5))
      expect(quiet).toEqual(
        Array.replicate({ id: undefined, event: undefined, data: undefined, comment: "still here" }, 5)
      )
    })
  )

  it.scopedLive("ends with a shutdown frame when the server shuts down", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const world = yield* Scope.extend(World.make({ drain: "20 seconds" }), scope)
      const id = yield* world.bySocket.start(config)
      const streams = yield* Effect.forEach(Array.range(1, 25), (n) =>
        eventSource.open(socketOf(world), n % 2 === 0 ? "/events" : `/jobs/${id}/events`)
      )
      const reading = yield* Effect.forEach(streams, ({ frames }) => Effect.fork(collect(frames)))
      yield* Scope.close(scope, Exit.void)
      for (const fiber of reading) {
        const frames = yield* Fiber.join(fiber)
        expect(frames.at(-1)).toMatchObject({ event: "shutdown", id: undefined })
        expect(frames.filter(({ event }) => event === "shutdown").length).toBe(1)
      }
    })
  )

  it.scopedLive("is refused at the limit and accepted after another one has closed", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxStreams: 2 })
      const scope = yield* Scope.make()
      yield* Scope.extend(eventSource.open(socketOf(world), "/events"), scope)
      yield* eventSource.open(socketOf(world), "/events")
      const refused = yield* world.send({ path: "/api/v1/events" })
      expect(refused).toMatchObject({ status: 503, json: { _tag: "RequestRefused", reason: "limit" } })
      expect(refused.headers["retry-after"]).toBeDefined()
      yield* Scope.close(scope, Exit.void)
      const opened = Effect.map(eventSource.open(socketOf(world), "/events"), ({ status }) => status)
      yield* Effect.repeat(Effect.scoped(opened), { until: (status) => status === 200 })
    })
  )
})
