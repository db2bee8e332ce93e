/** Pages and pictures that are written by programs are what those write today. */
import { describe, expect, it } from "@effect/vitest"
import { files, page } from "../../bench/harness/Report.js"
import { reference } from "./cliReference.js"
import { read } from "./pages.js"

describe("generated documents", () => {
  it("docs/cli.md has the help of every command", () => expect(reference).toMatchFileSnapshot("../../docs/cli.md"))

  it("docs/performance.md and its pictures have the figures of bench/results.json", () => {
    for (const [file, text] of Object.entries(files(read(page), JSON.parse(read("bench/results.json")))))
      expect(read(file), file).toBe(text)
  })
})
