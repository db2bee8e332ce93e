/** The bugs that `npm run mutants` plants, and the tests that it runs for them. */
import { describe, expect, it } from "@effect/vitest"
import ts from "typescript"
import { addedLines, draw } from "../../scripts/mutants/draw.js"
import { instrumented, mutationsOf } from "../../scripts/mutants/mutations.js"
import { importersOf, importsOf, nearest } from "../../scripts/mutants/nearest.js"

const changesOf = (text: string) => mutationsOf("a.ts", text).map(({ change, kind }) => `${kind}: ${change}`)

/** What the text evaluates to with one of its mutations live, or with none. */
const evaluated = (text: string, live: number): unknown => {
  const planted = mutationsOf("a.ts", text).map((mutation, id) => ({ ...mutation, id }))
  const { outputText } = ts.transpileModule(instrumented(text, planted), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS }
  })
  const exports = { result: undefined }
  new Function("globalThis", "exports", outputText)({ isPlanted: (id: number) => id === live }, exports)
  return exports.result
}

describe("the mutations of a source text", () => {
  it("negate conditions, move bounds, and swap operators", () => {
    expect(changesOf("const f = (a, b) => { if (a <= 1 && b) g() }")).toEqual([
      "condition negated: a <= 1 && b → !(a <= 1 && b)",
      "&& and || swapped: a <= 1 && b → (a <= 1) || (b)",
      "bound moved: a <= 1 → a < 1",
      "line left out: g() → left out"
    ])
    expect(changesOf("const f = (a, b) => a.sort((x, y) => x - y).length - 1")).toEqual([
      "arithmetic swapped: a.sort((x, y) => x - y).length - 1 → a.sort((x, y) => x - y).length + 1",
      "order reversed: x - y → y - x"
    ])
    expect(changesOf("const at = DateTime.lessThan(a, b)")).toEqual([
      "bound moved: DateTime.lessThan → DateTime.lessThanOrEqualTo"
    ])
  })

  it("leave out effects, steps of pipes, early returns and defaults", () => {
    const text = `const f = ({ a = 1 }) => Effect.gen(function* () {
      if (a) return
      yield* wake
      return yield* run.pipe(Effect.map(g), Effect.ensuring(end))
    })`
    expect(changesOf(text)).toEqual([
      "default left out: a = 1 → a",
      "condition negated: a → !(a)",
      "early return left out: return → left out",
      "effect left out: yield* wake → left out",
      "step of a pipe left out: Effect.ensuring(end) → left out"
    ])
  })

  it("leave out conditions of SQL and reverse its orders, and keep its parameters", () => {
    const [text = ""] = [
      "const sql = `SELECT id FROM runs WHERE kind = ? AND (a = 1 OR b IN (?)) AND n BETWEEN ? AND ? ORDER BY id LIMIT 1`"
    ]
    const found = mutationsOf("a.ts", text)
    expect(found.map(({ change }) => change)).toEqual([
      "WHERE kind = ? → WHERE TRUE",
      "AND (a = 1 OR b IN (?)) → AND TRUE",
      "AND n BETWEEN ? → AND TRUE",
      "ORDER BY id → ORDER BY id DESC"
    ])
    expect(found[1]?.replacement).toContain("AND ((a = 1 OR b IN (?)) OR TRUE) AND n")
  })

  it("are none in types, imports, log texts and errors", () => {
    const text = `import { a } from "./a.js"
    interface B { readonly c: true }
    const d: Record<"SELECT a AND b", false> = e
    const f = function* () {
      yield* Effect.logInfo(a && b)
      yield* Effect.fail(new StoreError({ isFinal: true }))
    }
    throw new Error(a ? b : c)`
    expect(changesOf(text)).toEqual([
      "effect left out: yield* Effect.fail(new StoreError({ isFinal: true })) → left out"
    ])
  })

  it("are planted one inside another, and each is live alone", () => {
    const text = `let n = 0
    const add = (k = 2) => { n = n + k * 3 }
    add()
    exports.result = n > 5 && n <= 6 ? "six" : n`
    const live = mutationsOf("a.ts", text).map(({ kind }, id) => [kind, evaluated(text, id)])
    expect(evaluated(text, -1)).toBe("six")
    expect(live).toEqual([
      ["default left out", NaN],
      ["line left out", 0],
      ["arithmetic swapped", 2 / 3],
      ["line left out", 0],
      ["line left out", undefined],
      ["condition negated", 6],
      ["&& and || swapped", "six"],
      ["bound moved", "six"],
      ["bound moved", 6]
    ])
  })
})

describe("the choice of mutants", () => {
  it("is random, and repeated by its seed", () => {
    const all = Array.from({ length: 100 }, (_, i) => i)
    expect(draw(all, 10, 1)).toEqual(draw(all, 10, 1))
    expect(draw(all, 10, 1)).not.toEqual(draw(all, 10, 2))
    expect(draw(all, 200, 1).toSorted((a, b) => a - b)).toEqual(all)
  })

  it("has only lines that a patch adds", () => {
    const patch = `diff --git a/src/a.ts b/src/a.ts
--- a/src/a.ts
+++ b/src/a.ts
@@ -3 +3,2 @@ context
-x
+y
+z
@@ -9,2 +10,0 @@
-x
-x
`
    const isAdded = addedLines(patch).get("src/a.ts")
    expect([2, 3, 4, 5, 10].map((line) => isAdded?.(line))).toEqual([false, true, true, false, false])
  })
})

describe("the tests that are nearest to a source", () => {
  it("are those that mirror it, then those that share words with it, then those over the fewest imports", () => {
    const files = new Map([
      ["src/store/sql/runs.ts", ""],
      ["src/store/Store.ts", `import * as runs from "./sql/runs.js"`],
      ["test/store/Zebra.test.ts", `import { Store } from "../../src/store/Store.js"`],
      ["test/store/RunList.test.ts", `import { Store } from "../../src/store/Store.js"`],
      ["test/store/sql/runs.test.ts", `import { Store } from "../../../src/store/Store.js"`],
      ["test/http/Alpha.test.ts", `import { Store } from "../../src/store/Store.js"`],
      ["test/http/Other.test.ts", ""]
    ])
    const importers = importersOf(files, (specifier) => {
      const name = specifier.replace(/^[./]+(src\/)?/, "").replace(/js$/, "ts")
      return name.startsWith("sql/") ? `src/store/${name}` : `src/${name}`
    })
    expect(nearest("src/store/sql/runs.ts", importers, (file) => file.endsWith(".test.ts"))).toEqual([
      "test/store/sql/runs.test.ts",
      "test/store/RunList.test.ts",
      "test/store/Zebra.test.ts",
      "test/http/Alpha.test.ts"
    ])
  })

  it("are found by imports of values, at any place of a module", () => {
    const text = `import type { A } from "./A.js"
import { b,
  c } from "./b.js"
export * from "./d.js"
const e = await import("./e.js")`
    expect(importsOf(text)).toEqual(["./b.js", "./d.js", "./e.js"])
  })
})
