import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Schema, Stream } from "effect"
import { figures } from "../../support/figures.js"
import { config } from "../../support/jobs.js"
import { isLong } from "../../support/long.js"
import * as eventSource from "../eventSource.js"
import * as Flooded from "../flooded.js"

const rounds = isLong ? 15 : 1
const commits = isLong ? 2_000 : 100
const clients = 100

const decode = Schema.decodeUnknown(Schema.Array(Schema.Number))

const quantile = (times: ReadonlyArray<number>, part: number): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length * part)] ?? NaN

const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

describe("event writer", () => {
  it.scopedLive(
    `is not slowed down by ${clients} stalled clients, in ${rounds} × ${commits} commits with and without them`,
    () =>
      Effect.gen(function* () {
        const { client, socket } = yield* Flooded.make
        // There is more of it than the kernel holds for one that takes nothing.
        const flood = yield* client.start({ ...config, labels: { events: "20000" } })
        yield* Stream.runDrain(client.events(flood))

        const measure = Effect.gen(function* () {
          const id = yield* client.start({ ...config, labels: { commits: String(commits) } })
          yield* Stream.runDrain(client.events(id))
          return yield* Effect.flatMap(client.get(id), ({ result }) => decode(result))
        })
        const beside = Effect.gen(function* () {
          yield* Effect.replicateEffect(eventSource.stalled(socket, "/events"), clients)
          yield* Flooded.streams(socket, clients)
          const times = yield* measure
          // They were there all the time.
          expect(yield* Flooded.streams(socket, clients)).toBe(true)
          return times
        })
        yield* measure
        const all: Record<"alone" | "beside", Array<ReadonlyArray<number>>> = { alone: [], beside: [] }
        for (let round = 1; round <= rounds; round++) {
          all.alone.push(yield* measure)
          all.beside.push(yield* Effect.scoped(beside))
          yield* Flooded.streams(socket, 0)
        }
        for (const times of [...all.alone, ...all.beside]) expect(times).toHaveLength(commits)
        const p = (part: number, of: keyof typeof all) => median(all[of].map((times) => quantile(times, part)))
        const ratios = Array.zipWith(all.beside, all.alone, (b, a) => quantile(b, 0.99) / quantile(a, 0.99))
        figures(
          `commits beside ${clients} stalled clients / alone: p50 ${p(0.5, "beside")} / ${p(0.5, "alone")} µs, ` +
            `p99 ${p(0.99, "beside")} / ${p(0.99, "alone")} µs; the median of ${rounds} ratios of p99 is ` +
            median(ratios).toFixed(2)
        )
      }),
    isLong ? 900_000 : 120_000
  )
})
