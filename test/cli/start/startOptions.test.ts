import { describe, expect, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Option } from "effect"
import * as startOptions from "../../../src/cli/start/startOptions.js"

const nothing: startOptions.Given = {
  queue: false,
  priority: Option.none(),
  delay: Option.none(),
  key: Option.none(),
  onKey: Option.none(),
  idempotencyKey: Option.none()
}

const at = DateTime.unsafeMake("2026-01-31T08:00:00Z")

describe("options of a start", () => {
  it.effect("are none where nothing is asked for but to start now", () =>
    Effect.map(startOptions.read(nothing), (options) => expect(options).toEqual(Option.none()))
  )

  it.effect("are those of the manager, and only those that are there", () =>
    Effect.gen(function* () {
      expect(yield* startOptions.read({ ...nothing, queue: true })).toEqual(Option.some({ whenFull: "queue" }))
      expect(
        yield* startOptions.read({
          ...nothing,
          priority: Option.some(-5),
          delay: Option.some(Duration.hours(2)),
          key: Option.some("nightly"),
          onKey: Option.some("replace"),
          idempotencyKey: Option.some("x")
        })
      ).toEqual(
        Option.some({
          priority: -5,
          delay: Duration.hours(2),
          key: "nightly",
          whenKeyTaken: "replace",
          idempotencyKey: "x"
        })
      )
      expect(yield* startOptions.read({ ...nothing, at: Option.some({ _tag: "Instant", at }) })).toEqual(
        Option.some({ startAt: at })
      )
    })
  )

  it.effect("that contradict each other are refused, naming them", () =>
    Effect.gen(function* () {
      const twice = startOptions.read({
        ...nothing,
        at: Option.some({ _tag: "Instant", at }),
        delay: Option.some(Duration.hours(2))
      })
      expect(yield* Effect.flip(twice)).toMatchObject({ problem: "--at cannot be combined with --delay" })
      const keyless = startOptions.read({ ...nothing, onKey: Option.some("queue") })
      expect(yield* Effect.flip(keyless)).toMatchObject({ problem: "--on-key needs a key", hint: "add --key KEY" })
    })
  )
})
