/** Following the log of an agent that prints more than a log file holds. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as LogSource from "../../../src/cli/logs/LogSource.js"
import * as tail from "../../../src/cli/logs/tail.js"
import * as OutputFile from "../../../src/process/OutputFile.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

/** The head holds 500 bytes of 1000, and each of two files behind it 186. */
const limit = 1000

const text = (length: number) => Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join("")

/** A log that is written and read step by step. */
const scene = Effect.gen(function* () {
  const directory = yield* TemporaryDirectory.make
  const file = yield* Effect.promise(() => OutputFile.make(`${directory}/1-attempt-1.1.agent.log`, limit))
  let printed = ""
  const read = tail.reader({
    source: LogSource.ofDirectory(directory),
    wanted: { unit: undefined, task: undefined, attempt: undefined, what: [] },
    printer: {
      print: (_, bytes) => Effect.sync(() => void (printed += Buffer.from(bytes).toString())),
      catchUp: Effect.void,
      end: Effect.void
    }
  })
  return {
    append: (text: string) => Effect.promise(() => file.append(Buffer.from(text))),
    finish: Effect.promise(() => file.finish({ tail: 10 })),
    read: Effect.provide(read, NodeContext.layer),
    printed: () => printed
  }
})

describe("a log that is followed", () => {
  for (const piece of [7, 60, 186])
    it.scopedLive(
      `is printed once and whole, ${piece} bytes at a time, however much more it is than a file holds`,
      () =>
        Effect.gen(function* () {
          const { append, finish, printed, read } = yield* scene
          const all = text(3_000)
          for (let at = 0; at < all.length; at += piece) {
            yield* append(all.slice(at, at + piece))
            yield* read
            expect(printed()).toBe(all.slice(0, at + piece))
          }
          yield* finish
          yield* read
          yield* read
          expect(printed()).toBe(all)
        })
    )

  for (const [what, ends] of [
    ["is still written", false],
    ["has ended", true]
  ] as const)
    it.scopedLive(`says how much was left out when the reader is late and the output ${what}`, () =>
      Effect.gen(function* () {
        const { append, finish, printed, read } = yield* scene
        const all = text(3_000)
        yield* append(all.slice(0, 600))
        yield* read
        expect(printed()).toBe(all.slice(0, 600))
        yield* append(all.slice(600))
        if (!ends) yield* read
        yield* finish
        yield* read
        const [, omitted = ""] = /\n\[charlotte: (\d+) bytes of output are left out here\]\n/.exec(printed()) ?? []
        const [before, after = ""] = printed().split(`\n[charlotte: ${omitted} bytes of output are left out here]\n`)
        expect(before).toBe(all.slice(0, 600))
        expect(all.endsWith(after)).toBe(true)
        expect(after.length).toBeGreaterThanOrEqual(186)
        if (!ends) expect(600 + Number(omitted) + after.length).toBe(3_000)
      })
    )

  it.scopedLive("is read whole by a reader that comes when the output is far beyond the head", () =>
    Effect.gen(function* () {
      const { append, finish, printed, read } = yield* scene
      const all = text(1_300)
      yield* append(all)
      yield* read
      const early = printed()
      expect(early).toMatch(/^[a-z]{500}\n\[charlotte: \d+ bytes of output are left out here\]\n[a-z]+$/)
      expect(all.endsWith(early.split("\n").at(-1) ?? "?")).toBe(true)
      yield* finish
      yield* read
      expect(printed()).toBe(early)
    })
  )
})
