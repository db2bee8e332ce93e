/** The metrics that docs/operations.md names, and its alert rules, against those that there are. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import * as instruments from "../../src/http/server/instruments.js"

const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8")
const prometheus = instruments.all.map(instruments.prometheusName)

/** As a query names it. */
const series = instruments.all.flatMap((instrument) => {
  const name = instruments.prometheusName(instrument)
  return instrument.type === "histogram" ? ["bucket", "sum", "count"].map((part) => `${name}_${part}`) : [name]
})

const table = [...page.matchAll(/^\| .*$/gm)].flatMap(([row]) =>
  [...row.matchAll(/`((?:charlotte|cicd)[_.][\w.]*)/g)].map(([, name = ""]) => name)
)

const [, rules = ""] = /```yaml charlotte\.rules\.yml\n([\s\S]*?)```/.exec(page) ?? []
const { groups }: { groups: ReadonlyArray<{ rules: ReadonlyArray<{ expr: string }> }> } = parse(rules)
const expressions = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))

describe("docs/operations.md", () => {
  it("names every metric, by its name in Prometheus and in OpenTelemetry, and no other", () => {
    const names = instruments.all.map(({ name }) => name)
    expect(new Set(table)).toEqual(new Set([...prometheus, ...names]))
  })

  it("has alert rules on metrics that there are", () => {
    expect(expressions.length).toBeGreaterThan(0)
    for (const expression of expressions) {
      const names = expression.match(/\b(charlotte|cicd)_\w+/g) ?? []
      expect(names, expression).not.toEqual([])
      expect(series, expression).toEqual(expect.arrayContaining(names))
    }
  })

  it("has alert rules that compare series of different labels only where these are ignored", () => {
    const labels = (side: string) => side.match(/\w+(?==~?")/g) ?? []
    const compared = expressions
      .map((expression) => expression.split(/ [<>]=? /))
      .filter(([, right = ""]) => labels(right).length > 0)
    expect(compared).not.toEqual([])
    for (const [left = "", right = ""] of compared) expect(right).toMatch(`ignoring(${labels(left).join(", ")}) `)
  })
})
