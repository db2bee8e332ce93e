/**
 * The jobs of the application: each emits an event first, and then comes to its end in a way of its own.
 */
import { JobKind } from "charlotte"
import { DateTime, Effect, Option, Schema } from "effect"
import { existsSync } from "node:fs"
import { Said, say } from "./Said.js"

/** `signal` and `time` park for that. */
export const Manner = Schema.Literal("brief", "failing", "endless", "signal", "time")

export class Work extends JobKind.Tag<Work>()("work", {
  config: Schema.Struct({
    manner: Manner,
    /** Of the order with which it was started, in one transaction. */
    order: Schema.optionalWith(Schema.Int, { exact: true })
  }),
  /** What the signal has carried that it waited for. */
  success: Schema.Struct({ told: Schema.NullOr(Schema.Int) }),
  error: Schema.String,
  events: { "work.begun": Schema.Struct({ attempt: Schema.Int }) },
  signals: { go: Schema.Int, stay: Schema.Int }
}) {}

export const maxJobs = 3

/** `mayEnd` is a file: once it is there, the endless ones end. */
export const layer = (mayEnd: string) =>
  Work.layer({
    maxJobs,
    run: ({ attempt, config: { manner }, emit, flush, id, park, signal, tries }) =>
      Effect.gen(function* () {
        say(Said.Began({ id, attempt, tries }))
        yield* emit({ type: "work.begun", payload: { attempt } })
        yield* flush
        const now = yield* DateTime.now
        switch (manner) {
          case "brief":
            yield* Effect.sleep(attempt * 7)
            return { told: null }
          case "failing":
            return yield* Effect.fail("it is one that fails")
          case "endless":
            yield* Effect.repeat(Effect.sleep(20), { until: () => existsSync(mayEnd) })
            return { told: null }
          case "time":
            if (attempt % 2 === 0) return { told: null }
            return yield* park({ reason: "a time", until: DateTime.add(now, { millis: 50 * (attempt % 5) }) })
          case "signal": {
            const told = yield* signal("go")
            if (Option.isSome(told)) return { told: told.value }
            return yield* park({ reason: "go", signal: "go" })
          }
        }
      })
  })
