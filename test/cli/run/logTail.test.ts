import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as logTail from "../../../src/cli/run/logTail.js"
import { Log } from "../../../src/tasks/events.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

/** The last lines of a file with that text, between two of its bytes. */
const tail = (text: string, lines: number, from = 0, to = Buffer.byteLength(text)) =>
  Effect.flatMap(TemporaryDirectory.file("gate.log"), (file) => {
    writeFileSync(file, text)
    return logTail.read(new Log({ file, from, to }), lines)
  }).pipe(Effect.provide(NodeFileSystem.layer))

describe("log tail", () => {
  it.scoped("is the last lines, without control sequences", () =>
    Effect.gen(function* () {
      expect(yield* tail("a\nb\n\n  c \x1b[31mred\x1b[0m\n10%\r100%\n\n", 3)).toEqual(["  c red", "100%"])
      expect(yield* tail("a\nb\nc\n", 2)).toEqual(["b", "c"])
      expect(yield* tail("a", 5)).toEqual(["a"])
      expect(yield* tail("", 5)).toEqual([])
      expect(yield* tail("\n\n", 5)).toEqual([])
    })
  )

  it.scoped("is limited to the requested range", () =>
    Effect.gen(function* () {
      expect(yield* tail("one\ntwo\nthree\nfour\n", 5, 4, 13)).toEqual(["two", "three"])
      expect(yield* tail("one\ntwo\n", 5, 4, 1_000_000)).toEqual(["two"])
      expect(yield* tail("one\n", 5, 100, 200)).toEqual([])
    })
  )

  it.scoped("does not read a whole large file or start within a line", () =>
    Effect.gen(function* () {
      const long = `${"x".repeat(30_000)} end of a long line\nlast\n`
      expect(yield* tail(long, 5)).toEqual(["last"])
      const wide = "日本語\n".repeat(10_000)
      expect(yield* tail(wide, 3)).toEqual(["日本語", "日本語", "日本語"])
    })
  )

  it.scoped("has what an agent says in place of its records", () =>
    Effect.gen(function* () {
      const says = (text: string) =>
        JSON.stringify({ type: "assistant", message: { content: [{ type: "text", text }] } })
      const result = { type: "result", is_error: true, result: "Credit balance is too low\u001b[2J" }
      const text = `${says("I begin.")}\n${JSON.stringify(result)}\n`
      expect(yield* tail(text, 5)).toEqual(["I begin.", "✗ Credit balance is too low (0 s)"])
      const latest = yield* Effect.flatMap(TemporaryDirectory.file("agent.log"), (file) => {
        writeFileSync(file, text)
        return Effect.provide(logTail.latest({ file }), NodeFileSystem.layer)
      })
      expect(latest).toBe("I begin.")
    })
  )

  it.scoped("is empty if the file cannot be read", () =>
    Effect.gen(function* () {
      const log = new Log({ file: "/nowhere/at/all.log", from: 0, to: 10 })
      expect(yield* Effect.provide(logTail.read(log, 5), NodeFileSystem.layer)).toEqual([])
    })
  )
})
