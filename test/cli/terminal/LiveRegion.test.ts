import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, FastCheck as fc, Fiber, Layer, Scope, TestClock, TestContext } from "effect"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import { Output, OutputClosed } from "../../../src/cli/terminal/Output.js"
import * as LiveRegion from "../../../src/cli/terminal/LiveRegion.js"
import * as Emulator from "../run/Emulator.js"

/** A terminal, and all that was ever written to it. */
const make = (columns = 40, rows = 10, onResize: "wraps" | "cuts" = "wraps") => {
  const terminal = Emulator.make(columns, rows, onResize)
  const written: Array<string> = []
  const layer = Layer.succeed(Output, {
    write: (text) =>
      Effect.sync(() => {
        written.push(String(text))
        terminal.write(String(text))
      }),
    error: () => Effect.void,
    isTerminal: true,
    colours: true,
    size: Effect.sync(terminal.size)
  })
  return { terminal, written, layer }
}

const lines = (...texts: ReadonlyArray<string>): ReadonlyArray<StyledLine.Line> =>
  texts.map((text) => [StyledLine.raw(text, "good")])

const tick = TestClock.adjust("100 millis")

describe("live region", () => {
  it.scoped("stays below printed lines and is erased at the end", () => {
    const { layer, terminal } = make()
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const live = yield* Scope.extend(LiveRegion.make, scope)
      yield* Effect.forkScoped(live.run)
      terminal.write("$ charlotte\n")
      yield* live.print(lines("one"))
      yield* live.show(() => lines("area 1", "area 2"))
      yield* tick
      expect(terminal.text()).toBe("$ charlotte\none\narea 1\narea 2")
      yield* live.print(lines("two", "three"))
      yield* live.show(() => lines("area"))
      yield* tick
      expect(terminal.text()).toBe("$ charlotte\none\ntwo\nthree\narea")
      yield* live.print(lines("last words"))
      yield* Scope.close(scope, Exit.void)
      expect(terminal.text()).toBe("$ charlotte\none\ntwo\nthree\nlast words")
      terminal.write("$")
      expect(terminal.text()).toMatch(/\nlast words\n\$$/)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("is erased on interruption and never hides the cursor", () => {
    const { layer, terminal, written } = make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.scoped(
          Effect.gen(function* () {
            const live = yield* LiveRegion.make
            yield* live.show(() => lines("area"))
            yield* live.print(lines("printed"))
            return yield* live.run
          })
        )
      )
      yield* tick
      expect(terminal.text()).toBe("printed\narea")
      yield* Fiber.interrupt(fiber)
      expect(terminal.text()).toBe("printed")
      expect(written.join("")).not.toContain("\x1b[?25")
    }).pipe(Effect.provide(layer))
  })

  it.scoped("is drawn at most ten times a second, and only when it has changed", () => {
    const { layer, written } = make()
    return Effect.gen(function* () {
      const live = yield* LiveRegion.make
      yield* Effect.forkScoped(live.run)
      let count = 0
      yield* live.show(() => lines(`${count++}`))
      for (let i = 0; i < 100; i++) yield* TestClock.adjust("10 millis")
      expect(written.length).toBeGreaterThan(5)
      expect(written.length).toBeLessThanOrEqual(11)
      yield* live.show(() => lines("the same"))
      yield* tick
      const before = written.length
      yield* TestClock.adjust("2 seconds")
      expect(written.length).toBe(before)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("renders with time and size, less one column and one row", () => {
    const { layer, terminal } = make(20, 4)
    return Effect.gen(function* () {
      const live = yield* LiveRegion.make
      yield* Effect.forkScoped(live.run)
      yield* live.show(({ columns, rows }, now) => lines(`${columns}x${rows} at ${now}`, "b", "c", "d", "e"))
      yield* TestClock.adjust("1 second")
      expect(terminal.text()).toBe("19x4 at 1000\nb\nc")
    }).pipe(Effect.provide(layer))
  })

  it.scoped("leaves no residue when the terminal is resized", () => {
    const { layer, terminal } = make(40, 20)
    return Effect.gen(function* () {
      const live = yield* LiveRegion.make
      yield* Effect.forkScoped(live.run)
      yield* live.print(lines("printed, and wide enough to be broken"))
      yield* live.show(({ columns }) => lines("=".repeat(columns), "-".repeat(columns)))
      yield* tick
      for (const columns of [20, 13, 40, 7, 33]) {
        terminal.resize(columns, 20)
        yield* tick
        const area = `${"=".repeat(columns - 1)}
${"-".repeat(columns - 1)}`
        expect(terminal.text()).toBe(`printed, and wide enough to be broken\n${area}`)
      }
    }).pipe(Effect.provide(layer))
  })

  it.scoped("erases nothing above it when a truncating terminal is resized", () => {
    const { layer, terminal } = make(40, 20, "cuts")
    return Effect.gen(function* () {
      const live = yield* LiveRegion.make
      yield* Effect.forkScoped(live.run)
      yield* live.print(lines("one", "two", "three"))
      yield* live.show(({ columns }) => lines("", "=".repeat(columns), "-".repeat(columns)))
      yield* tick
      for (const columns of [20, 13, 40, 7, 33]) {
        terminal.resize(columns, 20)
        yield* tick
        expect(terminal.text()).toBe(`one\ntwo\nthree\n\n${"=".repeat(columns - 1)}\n${"-".repeat(columns - 1)}`)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps printed lines once and in order", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { maxLength: 6 }), fc.nat(14), fc.boolean())),
          fc.integer({ min: 2, max: 12 }),
          async (steps, rows) => {
            const { layer, terminal } = make(40, rows)
            const program = Effect.gen(function* () {
              const live = yield* LiveRegion.make
              yield* Effect.forkScoped(live.run)
              for (const [texts, height, waits] of steps) {
                yield* live.print(lines(...texts))
                yield* live.show(() => lines(...Array.from({ length: height }, (_, index) => `AREA ${index}`)))
                if (waits) yield* tick
              }
            })
            await Effect.runPromise(
              program.pipe(Effect.scoped, Effect.provide(Layer.merge(layer, TestContext.TestContext)))
            )
            expect(terminal.text()).toBe(steps.flatMap(([texts]) => texts).join("\n"))
          }
        ),
        { numRuns: 50 }
      )
    )
  )

  it.scoped("ends when the output is closed", () =>
    Effect.gen(function* () {
      const live = yield* LiveRegion.make
      yield* live.print(lines("one"))
      expect(yield* Effect.flip(live.run)).toEqual(new OutputClosed())
    }).pipe(
      Effect.provideService(Output, {
        write: () => Effect.fail(new OutputClosed()),
        error: () => Effect.void,
        isTerminal: true,
        colours: true,
        size: Effect.succeed({ columns: 80, rows: 24 })
      })
    )
  )
})
