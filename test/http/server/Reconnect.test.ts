import { describe, expect, it } from "@effect/vitest"
import type { JobId } from "charlotte"
import { Step } from "charlotte/testing"
import { Array, Effect, Fiber, Random, Stream } from "effect"
import { request } from "node:http"
import { figures } from "../../support/figures.js"
import { config } from "../../support/jobs.js"
import { isLong } from "../../support/long.js"
import * as eventSource from "../eventSource.js"
import * as Restarting from "../restarting.js"

/** Emits an event every few milliseconds, until it is enough. */
const emitting =
  (isEnough: () => boolean): Step.Step =>
  (job) =>
    Effect.gen(function* () {
      for (let n = 1; !isEnough(); n++) yield* Effect.delay(job.emit({ type: "counted", payload: n }), 20)
    })

/** What became of a connection. */
interface Life {
  readonly outcome: "torn down" | "over" | "lost"
  /** The last event that was seen. */
  readonly position: number
}

/** Connects, reads so many events or for so long after the answer, and tears the connection down. */
const live = (socketPath: string, id: JobId.JobId, after: number, events: number, millis: number) =>
  Effect.async<Life>((resume) => {
    let position = after
    let rest = ""
    const end = (outcome: Life["outcome"]) => {
      sent.destroy()
      resume(Effect.succeed({ outcome, position }))
    }
    const sent = request({
      socketPath,
      agent: false,
      path: `/api/v1/jobs/${id}/events`,
      headers: { "last-event-id": String(after) }
    })
    sent.on("error", () => setTimeout(() => end("lost"), 2))
    sent.on("response", (response) => {
      if (response.statusCode === 204) return end("over")
      setTimeout(() => end("torn down"), millis)
      response.on("error", () => end("torn down")).on("end", () => end("torn down"))
      response.on("data", (piece: Buffer) => {
        const frames = (rest + piece.toString("utf8")).split("\n\n")
        rest = frames.pop() ?? ""
        for (const { data, event, id } of frames.map(eventSource.parse)) {
          if (data === undefined || event !== undefined) continue
          // In the middle of what has come: the rest is not seen.
          if (position - after >= events) return end("torn down")
          expect(id).toBe(position + 1)
          position += 1
        }
      })
    })
    sent.end()
  })

const lives = isLong ? 10_000 : 1_000
const readers = 20

describe("event stream over a socket", () => {
  it.scopedLive(
    `${lives} random disconnects and server restarts lose no event and repeat none`,
    () =>
      Effect.gen(function* () {
        const { manager, restart, script, socket } = yield* Restarting.make
        let lived = 0
        let restarted = 0
        const id = yield* manager.start(config)
        const isEnough = () => lived >= lives
        yield* script.send(id, emitting(isEnough), Step.succeed("done"))

        const reader = Effect.gen(function* () {
          let position = 0
          for (;;) {
            const events = yield* Random.nextIntBetween(0, 20)
            const millis = yield* Random.nextIntBetween(0, 10)
            const life = yield* live(socket, id, position, events, millis)
            position = life.position
            if (life.outcome === "over") return position
            if (life.outcome === "torn down") lived += 1
          }
        })
        const restarts = yield* Effect.fork(
          Effect.forever(
            Effect.delay(
              Effect.tap(restart, () => Effect.sync(() => (restarted += 1))),
              200
            )
          )
        )
        const reading = yield* Effect.forEach(Array.range(1, readers), (seed) =>
          Effect.fork(Effect.withRandom(reader, Random.make(seed)))
        )
        const positions = yield* Effect.forEach(reading, Fiber.join)
        yield* Fiber.interrupt(restarts)

        const all = yield* Stream.runCount(manager.events(id))
        expect(positions).toEqual(Array.replicate(all, readers))
        expect(restarted).toBeGreaterThan(3)
        figures(
          `${lived} disconnections of ${readers} readers and ${restarted} restarts: each has seen 1 to ${all}, once and in order`
        )
      }),
    300_000
  )
})
