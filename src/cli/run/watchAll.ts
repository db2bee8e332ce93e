/**
 * Follows the events of all jobs from now on, until it is interrupted.
 */
import { Effect, Option, Schema, Stream } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import * as JobRef from "../target/JobRef.js"
import type { Host } from "../target/JobSource.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, writeLines } from "../terminal/Output.js"
import * as followRemote from "./followRemote.js"
import * as plainLines from "./plainLines.js"
import { timeZone } from "../terminal/timeZone.js"

export const follow = ({ client, what }: Host, json: boolean) =>
  Effect.gen(function* () {
    const { error, isTerminal, size, write } = yield* Output
    const zone = yield* timeZone
    const events = client.allEvents({
      after: "latest",
      patience: followRemote.patience[what],
      onConnection: (state) => error(`${followRemote.connection(what, state)}\n`)
    })
    const show = (event: JobEvent) =>
      Effect.gen(function* () {
        if (json) return yield* write(`${JSON.stringify(encode(event))}\n`)
        const columns = isTerminal ? (yield* size).columns - 1 : Infinity
        const lines = Option.match(plainLines.line(event, zone), {
          onNone: () => [],
          onSome: (line) =>
            StyledLine.wrap([StyledLine.raw(`${JobRef.short(event.jobId)} `, "faint"), ...line], columns, 2)
        })
        yield* writeLines(lines)
      })
    yield* Stream.runForEach(events, show)
  })

const encode = Schema.encodeSync(JobEvent)
