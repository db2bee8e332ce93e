/** The TypeScript in README and docs is compiled as an application's, and run. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { basename, join } from "node:path"
import { vi } from "vitest"
import * as Application from "../support/application.js"
import { type Block, blocks, blocksOf, pages, placeOf, root } from "./pages.js"
import { matches } from "./sample.js"

/** The compiler reads all of Effect, which takes long on a machine that is busy. */
vi.setConfig({ testTimeout: 600_000 })

/** That of a file of an example is its own, since others import it. */
const nameOf = (block: Block) =>
  block.check.startsWith("examples/") ? basename(block.check) : `${placeOf(block).replace(/\W+/g, "-")}.ts`

/** The sample of output that follows a block, if one does. */
const outputOf = (block: Block) => {
  const own = pages.find(({ file }) => file === block.page)?.blocks ?? []
  const next = own[own.indexOf(block) + 1]
  return next?.language === "text" ? next.text : undefined
}

describe("the TypeScript in README and docs", () => {
  it.scopedLive("compiles in an application", () =>
    Effect.gen(function* () {
      const files = Object.fromEntries(blocksOf("ts").map((block) => [nameOf(block), block.text]))
      expect(Object.keys(files).length).toBeGreaterThan(5)
      const directory = yield* Application.make(files)
      const compiled = yield* Application.node(directory, Application.compiler, "-p", directory)
      expect(compiled).toEqual({ code: 0, output: "" })
    })
  )

  it.scopedLive.each(blocksOf("ts", "").map((block) => [placeOf(block), block] as const))(
    "%s runs, and prints what the page says",
    ([, block]) =>
      Effect.gen(function* () {
        const directory = yield* Application.make({ "main.ts": block.text })
        const { code, output } = yield* Application.node(directory, "--import", "tsx", "main.ts")
        expect({ code, output }).toMatchObject({ code: 0 })
        const sample = outputOf(block)
        if (sample !== undefined)
          expect(matches(sample, output), `${output}\n— is not as shown —\n${sample}`).toBe(true)
      })
  )

  it.scopedLive.each(blocksOf("ts", "vitest").map((block) => [placeOf(block), block] as const))(
    "%s is a test that passes",
    ([, block]) =>
      Effect.gen(function* () {
        const directory = yield* Application.make({
          "page.test.ts": block.text,
          "vitest.config.ts": `import config from ${JSON.stringify(join(root, "vitest.config.ts"))}\nexport default { resolve: config.resolve }\n`
        })
        const vitest = join(root, "node_modules/vitest/vitest.mjs")
        const { code, output } = yield* Application.node(directory, vitest, "run", "--root", directory)
        expect(output).toMatch(/Tests +\d+ passed/)
        expect(code).toBe(0)
      })
  )

  it("is an example of the package where it names one, and those are run", () => {
    const named = blocks.filter(({ check, language }) => language === "ts" && check.startsWith("examples/"))
    expect(named.map(({ check }) => check).sort()).toEqual([
      "examples/client.ts",
      "examples/cluster/Report.ts",
      "examples/cluster/node.ts",
      "examples/embed.ts",
      "examples/order/Order.ts",
      "examples/order/main.ts",
      "examples/postgres.ts",
      "examples/server.ts"
    ])
    for (const { check } of named) expect(existsSync(join(root, check))).toBe(true)
  })
})
