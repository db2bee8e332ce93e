/** How pieces of logs are printed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type * as LogFile from "../../../src/cli/logs/LogFile.js"
import * as Printer from "../../../src/cli/logs/Printer.js"
import { Output } from "../../../src/cli/terminal/Output.js"

const agent: LogFile.LogFile = {
  path: "/logs/a/01-attempt-1.1.agent.log",
  unit: "a",
  task: 1,
  number: 1,
  attempt: "1",
  what: "agent",
  size: 0,
  at: 0,
  tail: []
}
const gate = { ...agent, path: "/logs/a/01-attempt-1.1.gate.log", what: "gate" }

const says = (text: string) =>
  `${JSON.stringify({ type: "assistant", message: { content: [{ type: "text", text }] } })}\n`

const tool = { type: "tool_use", name: "Bash", input: { command: "npm test" } }
const log = `${says("I begin.\u001b]0;owned\u0007")}${JSON.stringify({ type: "assistant", message: { content: [tool] } })}\nplain \u001b[31mred\u001b[0m\n`

type Step = readonly [file: LogFile.LogFile, text: string] | "catchUp"

const printed = (steps: ReadonlyArray<Step>, how: Partial<Printer.Options> & { readonly isTerminal?: boolean } = {}) =>
  Effect.gen(function* () {
    const { isTerminal = true, ...options } = how
    let out = ""
    const output = Output.of({
      write: (text) => Effect.sync(() => void (out += typeof text === "string" ? text : Buffer.from(text).toString())),
      error: () => Effect.void,
      isTerminal,
      colours: false,
      size: Effect.succeed({ columns: 80, rows: 24 })
    })
    const none = { json: false, text: false, raw: false, tail: Option.none(), grep: Option.none(), titles: false }
    const printer = yield* Effect.provideService(Printer.make({ ...none, ...options }), Output, output)
    for (const step of steps) {
      if (step === "catchUp") yield* printer.catchUp
      else yield* printer.print(step[0], Buffer.from(step[1]))
    }
    yield* printer.end
    return out
  })

const readable = "I begin.\n● Bash npm test\nplain red\n"

describe("printed logs", () => {
  it.effect("have readable records on a terminal, and with --text in a pipe, however they are cut into pieces", () =>
    Effect.gen(function* () {
      expect(yield* printed([[agent, log]])).toBe(readable)
      expect(yield* printed([[agent, log]], { isTerminal: false, text: true })).toBe(readable)
      const cut = [...log].map((character): Step => [agent, character])
      expect(yield* printed(cut)).toBe(readable)
    })
  )

  it.effect("go byte for byte into a pipe, and keep their records with --raw", () =>
    Effect.gen(function* () {
      expect(yield* printed([[agent, log]], { isTerminal: false })).toBe(log)
      const raw = yield* printed([[agent, log]], { raw: true })
      expect(raw).toContain('{"type":"assistant"')
      // oxlint-disable-next-line eslint/no-control-regex -- this is the character to match
      expect(raw).not.toMatch(/\u001b/)
    })
  )

  it.effect("hold a record until it is whole, and print another long line in pieces", () =>
    Effect.gen(function* () {
      const long = says("x".repeat(100_000))
      expect(
        yield* printed([
          [agent, long.slice(0, 50_000)],
          [agent, long.slice(50_000)]
        ])
      ).toBe(`${"x".repeat(100_000)}\n`)
      const steps: ReadonlyArray<Step> = [[agent, "y".repeat(50_000)]]
      expect(yield* printed(steps)).toBe(`${"y".repeat(50_000)}\n`)
    })
  )

  it.effect("are only the lines that contain a text, in any case, of what is readable", () =>
    Effect.gen(function* () {
      const grep = Option.some("NPM")
      expect(
        yield* printed(
          [
            [agent, log],
            [gate, "npm ERR!\nok\n"]
          ],
          { grep, titles: true }
        )
      ).toBe("==> a 1, agent, attempt 1 <==\n● Bash npm test\n\n==> a 1, gate, attempt 1 <==\nnpm ERR!\n")
      expect(yield* printed([[agent, log]], { grep: Option.some("assistant"), isTerminal: false })).toBe("")
    })
  )

  it.effect("are the last lines, and then all that follow", () =>
    Effect.gen(function* () {
      const tail = Option.some(2)
      const existing: ReadonlyArray<Step> = [[agent, log], [gate, "one\n"], "catchUp"]
      expect(yield* printed(existing, { tail })).toBe("plain red\none\n")
      expect(yield* printed([...existing, [gate, "two\nthree\nfour\n"]], { tail })).toBe(
        "plain red\none\ntwo\nthree\nfour\n"
      )
      expect(yield* printed([[gate, "a\nb\nc"]], { tail })).toBe("b\nc\n")
    })
  )
})
