import { describe, expect, it } from "@effect/vitest"
import { JobManager } from "charlotte"
import { Step } from "charlotte/testing"
import { Array, Clock, Context, Effect, Random, Stream } from "effect"
import { figures } from "../../support/figures.js"
import { config } from "../../support/jobs.js"
import { isLong } from "../../support/long.js"
import * as eventSource from "../eventSource.js"
import * as World from "../world.js"

/** What a browser does: it connects again and again, after the last id that it has seen, until it is told to stop. */
const browser = (socketPath: string, path: string) =>
  Effect.gen(function* () {
    const seen: Array<eventSource.Frame> = []
    for (;;) {
      const last = seen.at(-1)?.id
      const over = yield* Effect.scoped(
        Effect.gen(function* () {
          const headers = last === undefined ? {} : { "last-event-id": String(last) }
          const { frames, status } = yield* eventSource.open({ socketPath }, path, headers)
          if (status === 204) return true
          expect(status).toBe(200)
          yield* Stream.runForEach(eventSource.events(frames), (frame) => Effect.sync(() => seen.push(frame)))
          return false
        })
      )
      if (over) return seen
    }
  })

const metric = (world: World.Scripted, name: string) =>
  Effect.map(world.send({ path: "/metrics" }), ({ text }) =>
    Number(new RegExp(`^charlotte_${name} (.*)$`, "m").exec(text)?.[1])
  )

/** Looks until it is so. */
const until = <A>(effect: Effect.Effect<A>, isSo: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(effect, 10), { until: isSo })

/** Emits so many events with so many bytes of payload each, and tells how far it is. */
const flood =
  (count: number, size: number, progress: (n: number) => void = () => {}): Step.Step =>
  (job) =>
    Effect.gen(function* () {
      for (let n = 1; n <= count; n++) {
        yield* job.emit({ type: "flood", payload: "x".repeat(size) })
        progress(n)
      }
    })

describe("many event streams", () => {
  it.scopedLive("200 clients that connect while a job ends all get its terminal event once", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { send } = World.script(world)
      const id = yield* world.bySocket.start(config)
      yield* send(id, flood(50, 10))
      let come = 0
      const client = Effect.gen(function* () {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 100))
        come += 1
        if (come === 100) yield* send(id, Step.succeed("done"))
        return yield* browser(world.socket, `/jobs/${id}/events`)
      })
      const all = yield* Effect.replicateEffect(client, 200, { concurrency: "unbounded" })
      for (const seen of all) {
        expect(seen.map(({ id }) => id)).toEqual(Array.range(1, 52))
        expect(seen.filter(({ data }) => data?.includes('"job.completed"')).length).toBe(1)
      }
    })
  )

  it.scopedLive("100 stalled clients cost little memory and do not delay one that reads", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const id = yield* world.bySocket.start(config)
      yield* Effect.replicateEffect(eventSource.stalled(world.socket, `/jobs/${id}/events`), 50)
      yield* Effect.replicateEffect(eventSource.stalled(world.socket, "/events"), 50)
      yield* until(metric(world, "streams"), (open) => open === 100)

      const before = process.memoryUsage().arrayBuffers
      // 40 MB for each of them.
      yield* World.script(world).send(id, flood(20_000, 2_000), Step.succeed("done"))
      const seqs = yield* world.bySocket.events(id).pipe(
        Stream.map(({ seq }) => seq),
        Stream.runCollect
      )
      expect([...seqs]).toEqual(Array.range(1, 20_002))
      const held = process.memoryUsage().arrayBuffers - before
      figures(`100 clients that take nothing: ${Math.round(held / 1024 / 100)} KiB are held for each`)
      expect(held).toBeLessThan(100 * 1024 * 1024)
      expect(yield* metric(world, "streams")).toBe(100)
      expect(yield* metric(world, "stream_lag_events")).toBeGreaterThan(15_000)
      const { activeCount } = Context.get(world.services, JobManager.JobManager)
      expect(yield* activeCount).toBe(0)
    })
  )

  it.scopedLive(
    "is disconnected after the stall timeout and resumes from its position",
    () =>
      Effect.gen(function* () {
        const world = yield* World.make(isLong ? {} : { stall: 100 })
        const id = yield* world.bySocket.start(config)
        yield* World.script(world).send(id, flood(3_000, 1_000), Step.succeed("done"))
        const socket = yield* eventSource.stalled(world.socket, `/jobs/${id}/events`)
        yield* until(metric(world, "streams"), (open) => open === 1)
        const begun = yield* Clock.currentTimeMillis
        yield* until(metric(world, "streams"), (open) => open === 0)
        const kept = (yield* Clock.currentTimeMillis) - begun
        figures(`a client that takes nothing is cut off after ${kept} ms`)
        // A sixth more, until it is seen that nothing has gone out since.
        if (isLong) expect(kept).toBeLessThan(37_000)
        expect(kept).toBeGreaterThan(isLong ? 29_000 : 50)

        const text = yield* Effect.async<string>((resume) => {
          let text = ""
          socket.on("data", (piece: Buffer) => (text += piece.toString("latin1")))
          socket.on("close", () => resume(Effect.succeed(text)))
          socket.resume()
        })
        // Frames that have come whole; where a chunk of the transfer ends in the middle of one, it is passed over.
        const ids = [...text.matchAll(/^id: (\d+)\r?$/gm)].map(([, id]) => Number(id))
        const last = ids.at(-2) ?? 0
        expect(last).toBeGreaterThan(0)
        expect(last).toBeLessThan(3_000)
        const rest = yield* world.bySocket.events(id, { after: last }).pipe(
          Stream.map(({ seq }) => seq),
          Stream.runCollect
        )
        expect([...rest]).toEqual(Array.range(last + 1, 3_002))
      }),
    300_000
  )
})
