/** The examples in doc comments are compiled and run; those of README and docs are so in test/docs. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { vi } from "vitest"
import * as Application from "./support/application.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, "utf8")

const docExamples = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => [...read(`src/${file}`).matchAll(/\* @example\n(.*?)\*\//gs)])
  .map(([, code = ""]) => code.replace(/^ *\* ?/gm, ""))

/** The compiler looks at all of Effect, which takes long on a machine that is busy. */
vi.setConfig({ testTimeout: 600_000 })

describe("the examples in doc comments", () => {
  it.scopedLive("compile and run", () =>
    Effect.gen(function* () {
      expect(docExamples.length).toBeGreaterThan(5)
      const directory = yield* Application.make({
        ...Object.fromEntries(
          docExamples.map((code, i) => [`example${i}.ts`, `import assert from "node:assert/strict"\n${code}`])
        ),
        "all.ts": docExamples.map((_, i) => `import "./example${i}.js"`).join("\n")
      })
      const ended = { code: 0, output: "" }
      expect(yield* Application.node(directory, Application.compiler, "-p", directory)).toEqual(ended)
      expect(yield* Application.node(directory, "--import", "tsx", "all.ts")).toEqual(ended)
    })
  )
})
