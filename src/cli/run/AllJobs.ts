/**
 * Tells what happens in all jobs from now on, until the reader has seen enough.
 */
import { DateTime, Effect, Option, Schema, Stream } from "effect"
import { JobEvent } from "../../domain/JobEvent.js"
import * as JobName from "../JobName.js"
import type { Host } from "../Jobs.js"
import * as Line from "../Line.js"
import { Output, writeLines } from "../Output.js"
import * as Attached from "./Attached.js"
import * as Lines from "./Lines.js"

export const follow = ({ client, what }: Host, json: boolean) =>
  Effect.gen(function* () {
    const { error, isTerminal, size, write } = yield* Output
    const zone = Option.getOrElse(yield* Effect.serviceOption(DateTime.CurrentTimeZone), DateTime.zoneMakeLocal)
    const events = client.allEvents({
      after: "latest",
      patience: Attached.patience[what],
      onConnection: (state) => error(`${Attached.connection(what, state)}\n`)
    })
    const show = (event: JobEvent) =>
      Effect.gen(function* () {
        if (json) return yield* write(`${JSON.stringify(encode(event))}\n`)
        const columns = isTerminal ? (yield* size).columns - 1 : Infinity
        const lines = Option.match(Lines.line(event, zone), {
          onNone: () => [],
          onSome: (line) => Line.wrap([Line.raw(`${JobName.short(event.jobId)} `, "faint"), ...line], columns, 2)
        })
        yield* writeLines(lines)
      })
    yield* Stream.runForEach(events, show)
  })

const encode = Schema.encodeSync(JobEvent)
