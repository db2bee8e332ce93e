import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { ringBell } from "../../../src/cli/run/ringBell.js"
import { Output } from "../../../src/cli/terminal/Output.js"

/** What is written at the end of an effect that takes so long, if it is not interrupted then. */
const written = (
  seconds: number,
  {
    end = Effect.void,
    isTerminal = true
  }: { readonly end?: Effect.Effect<void, string>; readonly isTerminal?: boolean }
) =>
  Effect.gen(function* () {
    let all = ""
    const output = {
      write: (text: string | Uint8Array) => Effect.sync(() => void (all += String(text))),
      error: () => Effect.void,
      isTerminal,
      colours: false,
      size: Effect.succeed({ columns: 80, rows: 24 })
    }
    const fiber = yield* Effect.fork(
      Effect.exit(ringBell(Effect.delay(end, `${seconds} seconds`)).pipe(Effect.provideService(Output, output)))
    )
    yield* TestClock.adjust(`${seconds} seconds`)
    const exit = yield* Fiber.join(fiber)
    return { all, isSuccess: Exit.isSuccess(exit) }
  })

describe("the bell of a terminal", () => {
  it.effect("rings at the end of what took over a minute, even if that failed", () =>
    Effect.gen(function* () {
      expect(yield* written(61, {})).toEqual({ all: "\x07", isSuccess: true })
      expect(yield* written(61, { end: Effect.fail("no") })).toEqual({ all: "\x07", isSuccess: false })
    })
  )

  it.effect("does not ring after less, into a pipe, or after an interruption", () =>
    Effect.gen(function* () {
      expect((yield* written(60, {})).all).toBe("")
      expect((yield* written(61, { isTerminal: false })).all).toBe("")
      expect((yield* written(61, { end: Effect.interrupt })).all).toBe("")
    })
  )
})
