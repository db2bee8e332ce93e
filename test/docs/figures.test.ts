/** What CONTRIBUTING.md and docs/reliability.md say of the size of tests is what the tests do. */
import { describe, expect, it } from "@effect/vitest"
import { variants as cluster } from "../simulation/cluster/variants.js"
import { type Variant, variants } from "../simulation/variants.js"
import { read } from "./pages.js"

const contributing = "CONTRIBUTING.md"
const reliability = "docs/reliability.md"

const english = (count: number) => count.toLocaleString("en-US")

/** Of a test, the sentences about it: `LONG` is the size of its long form, and `SHORT` that on each change. */
const claims: ReadonlyArray<readonly [test: string, page: string, ...sentences: ReadonlyArray<string>]> = [
  ["crash/Crash", contributing, "`npm run test:chaos` has SHORT of them, `npm run test:long` LONG."],
  [
    "crash/Crash",
    reliability,
    "(daemons LONG times instead of SHORT,",
    "which SHORT kills do not reach",
    "SHORT times in `npm run test:chaos`,",
    "Each change has SHORT kills, `npm run test:long` LONG,"
  ],
  [
    "crash/Application",
    reliability,
    "an application LONG times instead of SHORT;",
    "an application with its own transactions SHORT times"
  ],
  ["crash/Producers", reliability, "each killed in turn, SHORT starts)", "(LONG starts)"],
  ["crash/Schedules", reliability, "behind, SHORT kills)", "(LONG kills each,"],
  ["crash/Subscribers", reliability, "SQLite file, SHORT kills;", "(LONG kills)"],
  ["http/server/Reconnect", reliability, "0 repeats in LONG |", "`test/http/server/Reconnect.test.ts` (SHORT)"],
  ["manager/Capacity", reliability, "(SHORT jobs)", "(LONG jobs;"],
  ["model/Model", reliability, "(LONG runs of the model)"],
  ["postgres/cluster/Kills", reliability, "(SHORT kills; `CLUSTER_KILLS`", "(LONG kills; last on"],
  ["simulation/Simulation", contributing, "the tests run SHORT (", "their long form LONG ("],
  ["simulation/Simulation", reliability, "Each change runs SHORT seeds,", "`npm run test:long` runs LONG and"],
  ["simulation/cluster/Simulation", contributing, "(of a cluster SHORT), their", "(LONG)"],
  ["simulation/cluster/Simulation", reliability, "and SHORT of a cluster;", "and LONG."],
  ["simulation/nights/Simulation", contributing, "nights of agents; the tests run SHORT, their long form LONG"],
  ["simulation/nights/Simulation", reliability, "Each change runs SHORT nights, and `npm run test:long` LONG."],
  ["simulation/schedules/Simulation", reliability, "LONG seeds)"]
]

describe("the size of tests in", () => {
  for (const [test, page, ...sentences] of claims) {
    it(`test/${test}.test.ts is as ${page} says`, () => {
      const [, long = "", short = ""] = /isLong \? ([\d_]+) : ([\d_]+)/.exec(read(`test/${test}.test.ts`)) ?? []
      const [most, few] = [long, short].map((digits) => english(Number(digits.replaceAll("_", ""))))
      const text = read(page).replace(/\s+#?\s*/g, " ")
      const expected = sentences.map((sentence) => sentence.replaceAll("LONG", `${most}`).replaceAll("SHORT", `${few}`))
      expect(expected.filter((sentence) => !text.includes(sentence))).toEqual([])
    })
  }

  it("broken variants of the simulations is as docs/reliability.md says", () => {
    const text = read(reliability).replace(/\s+/g, " ")
    const count = (all: Readonly<Record<string, Variant>>) => {
      const rare = Object.values(all).filter(({ isRare = false }) => isRare).length
      return { rare, soon: Object.keys(all).length - rare }
    }
    const expected = [
      `${count(variants).soon} have to be found within 500 seeds`,
      `and ${count(variants).rare}, which fewer than two of a hundred seeds show, within 2,000`,
      `${count(cluster).soon} have to be found within 300 seeds`,
      `and ${count(cluster).rare}, which few seeds show, within 1,200`
    ]
    expect(expected.filter((sentence) => !text.includes(sentence))).toEqual([])
  })

  it("the budgets of .ci/run, in minutes, is as both pages say", () => {
    const budgets = [...read(".ci/run").matchAll(/^ *tier (\d+) /gm)].map(([, seconds]) => Number(seconds))
    const minutes = Math.ceil(budgets.reduce((sum, seconds) => sum + seconds, 0) / 60)
    expect(read(contributing)).toContain(`It may take ${minutes} minutes`)
    expect(read(reliability).replace(/\s+/g, " ")).toContain(`of ${minutes} minutes;`)
  })
})
