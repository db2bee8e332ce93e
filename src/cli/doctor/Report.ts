/**
 * What all the looking has come to, for a person and for a program.
 */
import * as Line from "../Line.js"
import * as Words from "../Words.js"
import type { Finding } from "./Finding.js"

export interface Report {
  readonly findings: ReadonlyArray<Finding>
  readonly problems: number
  readonly warnings: number
}

export const make = (findings: ReadonlyArray<Finding>): Report => ({
  findings,
  problems: findings.filter(({ status }) => status === "problem").length,
  warnings: findings.filter(({ status }) => status === "warning").length
})

const marks: { readonly [S in Finding["status"]]: Line.Piece } = {
  ok: Line.raw("✓ ", "good"),
  warning: Line.raw("! ", "warn"),
  problem: Line.raw("✗ ", "bad")
}

export const lines = ({ findings, problems, warnings }: Report, columns: number): ReadonlyArray<Line.Line> => {
  const longest = Math.max(...findings.map(({ check }) => check.length))
  const counts = [Words.count(problems, "problem"), Words.count(warnings, "warning")].join(", ")
  return [
    ...findings.flatMap((finding) => ofFinding(finding, longest, columns)),
    Line.empty,
    [Line.raw(problems + warnings === 0 ? "all is well" : counts, problems === 0 ? "plain" : "bad")]
  ]
}

/** What to do is not broken into lines: it may be there to be copied. */
const ofFinding = (
  { check, message, remedy, status }: Finding,
  longest: number,
  columns: number
): ReadonlyArray<Line.Line> => {
  const indent = longest + 4
  const name = Line.raw(`${check.padEnd(longest)}  `, status === "ok" ? "faint" : "strong")
  return [
    ...Line.wrap([marks[status], name, Line.piece(message)], columns, indent),
    ...(remedy === undefined ? [] : [[Line.raw(" ".repeat(indent)), Line.raw("→ ", "faint"), Line.piece(remedy)]])
  ]
}
