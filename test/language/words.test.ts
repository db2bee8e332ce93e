/** Words that name nothing have no place in sources, README and docs: a field engineer would not search for them. */
import { describe, expect, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

const words = /\b(told|whoever|somebody|nobody|anew|goes\s+(?:[\s*/]*)on\s+(?:[\s*/]*)with|is\s+(?:[\s*/]*)begun)\b/gi

const files = [
  "README.md",
  ...["src", "docs"].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|sh|md)$/.test(name))
      .map((name) => `${directory}/${name}`)
  )
].sort()

/** Each with its file and line. */
const found = files.flatMap((file) => {
  const text = readFileSync(join(root, file), "utf8")
  return [...text.matchAll(words)].map(
    ({ 0: word, index }) => `${file}:${text.slice(0, index).split("\n").length}: ${word.replace(/\s+/g, " ")}`
  )
})

describe("the language of sources, README and docs", () => {
  it("has none of: told, whoever, somebody, nobody, anew, goes on with, is begun", () => {
    expect(files.length).toBeGreaterThan(200)
    expect(found).toEqual([])
  })
})
