/** How sure the tables of docs/performance.md are of their figures. */
import { describe, expect, it } from "vitest"
import { type Measured, ratio } from "../../bench/harness/Benchmark.js"
import type { Found } from "../../bench/harness/Found.js"
import { files, page } from "../../bench/harness/Report.js"
import { median, range, verdict, worseQuartile } from "../../bench/harness/Statistics.js"
import { markdown } from "../../bench/harness/Table.js"

const runs = [1.3, 0.77, 1.2, 1.08, 1]

const atLeast = (must: number, goal: number) => verdict(runs, { atLeast: must }, { atLeast: goal })
const atMost = (must: number, goal: number) => verdict(runs, { atMost: must }, { atMost: goal })

const line: Measured = {
  what: "life cycle",
  against: "BullMQ",
  figure: "1,912 jobs/s",
  base: "1,775 jobs/s",
  values: runs,
  unit: "×",
  must: { atLeast: 1 },
  goal: { atLeast: 1.5 }
}

const row = (line: Measured) => markdown([line], "abc").split("\n").at(-1)

describe("the statistics of runs", () => {
  it("have the middle value as their median, and the mean of two where they are even in number", () => {
    expect(median(runs)).toBe(1.08)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([7])).toBe(7)
  })

  it("have the least and the most as their range", () => {
    expect(range(runs)).toEqual([0.77, 1.3])
  })

  it("have a worse quartile: the lower one where more is better, and the upper one where less is", () => {
    expect(worseQuartile(runs, { atLeast: 0 })).toBe(1)
    expect(worseQuartile(runs, { atMost: 0 })).toBe(1.2)
    expect(worseQuartile([1, 2, 3, 4], { atLeast: 0 })).toBe(1.75)
    expect(worseQuartile([7], { atMost: 0 })).toBe(7)
  })
})

describe("a verdict", () => {
  it("has no question mark if no limit lies between two runs", () => {
    expect(atLeast(0.5, 0.77)).toBe("goal")
    expect(atLeast(0.5, 1.31)).toBe("must")
    expect(atLeast(1.31, 2)).toBe("missed")
    expect(atMost(2, 1.3)).toBe("goal")
    expect(atMost(1.3, 0.76)).toBe("must")
    expect(atMost(0.76, 0.5)).toBe("missed")
  })

  it("has a question mark if some runs meet the must and some do not, and then compares the median", () => {
    expect(atLeast(0.78, 2)).toBe("must ?")
    expect(atLeast(1.08, 2)).toBe("must ?")
    expect(atLeast(1.09, 2)).toBe("missed ?")
    expect(atMost(1.08, 0.5)).toBe("must ?")
    expect(atMost(1.07, 0.5)).toBe("missed ?")
  })

  it("has a question mark if some runs meet the goal and some do not, and then compares the worse quartile", () => {
    expect(atLeast(0.5, 1)).toBe("goal ?")
    expect(atLeast(0.5, 1.01)).toBe("must ?")
    expect(atMost(2, 1.2)).toBe("goal ?")
    expect(atMost(2, 1.19)).toBe("must ?")
  })

  it("is that of the only run, or of the only median that was kept", () => {
    expect(verdict([1], { atLeast: 1 }, { atLeast: 1 })).toBe("goal")
    expect(verdict([0.99], { atLeast: 1 }, { atLeast: 1 })).toBe("missed")
  })
})

describe("a ratio", () => {
  it("is taken of the two runs of each turn, since a machine gets slower and faster for both", () => {
    const { base, figure, values } = ratio({
      ...{ what: "", against: "", must: { atLeast: 1 }, goal: { atLeast: 1 } },
      ours: [100, 50, 300],
      theirs: [50, 25, 100],
      suffix: " jobs/s"
    })
    expect({ base, figure, values }).toEqual({ base: "50 jobs/s", figure: "100 jobs/s", values: [2, 2, 3] })
  })
})

describe("a row of the table", () => {
  it("has the median with its range", () => {
    expect(row(line)).toBe(
      "| life cycle | BullMQ | 1,912 jobs/s | 1,775 jobs/s | 1.08× (0.77–1.3) | ≥ 1× | ≥ 1.5× | must ? | abc |"
    )
  })

  it("says that it has no range where only one run was made, or only the median was kept", () => {
    expect(row({ ...line, values: [1.08] })).toContain("| 1.08× (one run) |")
    expect(row({ ...line, values: [1.08], medianOf: 5 })).toContain("| 1.08× (medians of 5, range not kept) |")
  })
})

describe("docs/performance.md", () => {
  const found = (commit: string, date: string, machine = "2 cores"): Found => ({
    ...{ title: commit, machine, versions: "Node", commit, date, load: 0 },
    lines: [line]
  })

  it("says in each row which commit was measured, and whether it is not that of the newest figures", () => {
    const { [page]: text = "" } = files("", {
      older: found("aaa", "2026-11-30"),
      elsewhere: found("bbb", "2026-12-01T10:00:00.000Z", "4 cores"),
      newest: found("bbb", "2026-12-01T11:00:00.000Z")
    })
    expect(text.match(/[^|]+(?= \|$)/gm)).toEqual([
      ...[" measured on", " ---", " aaa, not the newest"],
      ...[" measured on", " ---", " bbb; another machine: 4 cores"],
      ...[" measured on", " ---", " bbb"]
    ])
    expect(text).toContain("commit bbb on 2 cores")
  })
})
