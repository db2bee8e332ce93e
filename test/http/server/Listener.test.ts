import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Array, Context, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { connect } from "node:net"
import { listen, type ListenOptions, Server } from "../../../src/tasks/http/Server.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as requests from "../requests.js"
import * as World from "../world.js"

/** A server that listens, and how often what answers has begun to follow the events, and has ceased to. */
const listening = (options: Partial<ListenOptions> = {}) =>
  Effect.gen(function* () {
    const socket = `${yield* TemporaryDirectory.make}/socket`
    const counts = { begun: 0, ceased: 0 }
    const services = yield* Layer.build(World.idle)
    const manager = Context.get(services, JobManager.JobManager)
    const counted = JobManager.JobManager.of({
      ...manager,
      allEvents: (after) =>
        Stream.unwrap(Effect.sync(() => (counts.begun++, manager.allEvents(after)))).pipe(
          Stream.ensuring(Effect.sync(() => counts.ceased++))
        )
    })
    const scope = yield* Scope.make()
    const end = Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() => end)
    const layer = listen({ listen: { socket }, ...options }).pipe(
      Layer.provide(Layer.succeedContext(Context.add(services, JobManager.JobManager, counted)))
    )
    const { prepared } = Context.get(yield* Layer.buildWithScope(layer, scope), Server)
    const send = (path: string, headers = {}) => requests.send({ socketPath: socket }, { path, headers })
    return { counts, end, prepared, send, socket }
  })

describe("server before its application is loaded", () => {
  it.scopedLive("loads the application once, with the first requests, which wait for it", () =>
    Effect.gen(function* () {
      const { counts, prepared, send } = yield* listening()
      expect(counts.begun).toBe(0)
      const answers = yield* Effect.all(Array.replicate(send("/healthz"), 5), { concurrency: "unbounded" })
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
      yield* prepared
      expect((yield* send("/readyz")).status).toBe(200)
      expect(counts.begun).toBe(1)
    })
  )

  it.scopedLive("checks the first request like every other", () =>
    Effect.gen(function* () {
      const { send } = yield* listening()
      expect(yield* send("/healthz", { host: "example.com" })).toMatchObject({
        status: 403,
        json: { _tag: "RequestRefused", reason: "host" }
      })
    })
  )

  it.scopedLive("shuts down at once without loading the application if there was no request", () =>
    Effect.gen(function* () {
      const { counts, end, socket } = yield* listening({ drain: "1 hour" })
      const silent = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof connect>>((resume) => {
          const connection = connect(socket, () => resume(Effect.succeed(connection)))
        }),
        (connection) => Effect.sync(() => connection.destroy())
      )
      const closed = Effect.async<void>((resume) => void silent.once("close", () => resume(Effect.void)))
      const waiting = yield* Effect.fork(closed)
      silent.resume()
      yield* end
      yield* Fiber.join(waiting)
      expect(counts).toEqual({ begun: 0, ceased: 0 })
    })
  )

  it.scopedLive("shuts down while loading and releases the application", () =>
    Effect.gen(function* () {
      const { counts, end, prepared } = yield* listening({ drain: "1 hour" })
      const preparing = yield* Effect.fork(prepared)
      yield* Effect.yieldNow()
      yield* end
      yield* Fiber.await(preparing)
      expect(counts.ceased).toBe(counts.begun)
    })
  )
})
