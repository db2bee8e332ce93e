/** `examples/container`: what can be said of its file without building an image, which `scripts/containerInRoot.sh` does. */
import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import { readFileSync } from "node:fs"
import { charlotte } from "../../src/cli/parser/commands.js"
import { parse } from "../../src/cli/parser/parse.js"

const lines = readFileSync(new URL("../../examples/container/Containerfile", import.meta.url), "utf8").split("\n")

const words = (text: string): ReadonlyArray<string> => JSON.parse(text)

describe("the container file", () => {
  it("explains each of its lines", () => {
    const instructions = lines.flatMap((line, at) => (/^[A-Z]/.test(line) ? [{ line, before: lines[at - 1] }] : []))
    expect(instructions.length).toBeGreaterThan(10)
    for (const { before, line } of instructions) expect(before, line).toMatch(/^# [^ ]/)
  })

  it("starts and checks the daemon by command lines that are understood", () => {
    const commands = lines.flatMap((line) => {
      const [, json] = /^(?:HEALTHCHECK .*)?CMD (\[.*\])$/.exec(line) ?? []
      return json === undefined ? [] : [words(json)]
    })
    expect(commands).toHaveLength(2)
    for (const [command, ...rest] of commands)
      expect([command, Either.isRight(parse(charlotte, rest).effect)]).toEqual(["charlotte", true])
  })
})
