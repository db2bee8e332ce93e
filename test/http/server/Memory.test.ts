import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { figures } from "../../support/figures.js"
import { config } from "../../support/jobs.js"
import { isLong } from "../../support/long.js"
import * as Flooded from "../flooded.js"

/** Code that runs for the first time, and caches that fill up, are no growth. */
const before = isLong ? 100_000 : 2_000
const events = isLong ? 1_000_000 : 10_000
const readers = 10
const mebibyte = 1024 * 1024

/** Of the whole process; or, as V8 collects garbage when it likes and this is short, of what is in use. */
const limit = (isLong ? 64 : 16) * mebibyte
const what = isLong ? "memory of a server" : "memory in use in a server"

/** Has a job emit so many events and clients read them, and gives the memory at each hundredth. */
const flood = ({ client, socket }: Flooded.Flooded, events: number) =>
  Effect.gen(function* () {
    const labels = { events: String(events), ...(isLong ? {} : { live: "" }) }
    const id = yield* client.start({ ...config, labels })
    const reader = Flooded.reader(socket, `/jobs/${id}/events`)
    const seen = yield* Effect.replicateEffect(reader, readers, { concurrency: "unbounded" })
    expect(seen).toEqual(seen.map(() => events + 2))
    return yield* client.events(id).pipe(
      Stream.filterMap(({ payload, type }) =>
        type === "memory" && typeof payload === "number" ? Option.some(payload) : Option.none()
      ),
      Stream.runCollect,
      Effect.map((all) => [...all])
    )
  })

describe(`the ${what}`, () => {
  it.scopedLive(
    `grows by less than ${limit / mebibyte} MiB over ${events} events of a job that ${readers} clients read`,
    () =>
      Effect.gen(function* () {
        const flooded = yield* Flooded.make
        const first = (yield* flood(flooded, before)).at(-1) ?? 0
        const memory = yield* flood(flooded, events)
        expect(memory).toHaveLength(100)
        const growth = Math.max(...memory) - first
        figures(
          `${events} events, ${readers} readers: ${Math.round(first / mebibyte)} MiB after the first ${before}, ` +
            `at most ${Math.round(growth / mebibyte)} MiB more`
        )
        expect(growth).toBeLessThan(limit)
      }),
    isLong ? 3_600_000 : 120_000
  )
})
