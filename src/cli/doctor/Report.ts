/**
 * All findings, for a terminal or as JSON.
 */
import * as StyledLine from "../terminal/StyledLine.js"
import * as format from "../terminal/format.js"
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

const marks: { readonly [S in Finding["status"]]: StyledLine.Piece } = {
  ok: StyledLine.raw("✓ ", "good"),
  warning: StyledLine.raw("! ", "warn"),
  problem: StyledLine.raw("✗ ", "bad")
}

export const lines = ({ findings, problems, warnings }: Report, columns: number): ReadonlyArray<StyledLine.Line> => {
  const counts = [format.count(problems, "problem"), format.count(warnings, "warning")].join(", ")
  return [
    ...linesOf(findings, columns),
    StyledLine.empty,
    [StyledLine.raw(problems + warnings === 0 ? "No problems found." : counts, problems === 0 ? "plain" : "bad")]
  ]
}

export const linesOf = (findings: Report["findings"], columns: number): ReadonlyArray<StyledLine.Line> => {
  const longest = Math.max(...findings.map(({ check }) => check.length))
  return findings.flatMap((finding) => ofFinding(finding, longest, columns))
}

/** Remedies do not wrap: they may be commands to copy. */
const ofFinding = (
  { check, message, remedy, status }: Finding,
  longest: number,
  columns: number
): ReadonlyArray<StyledLine.Line> => {
  const indent = longest + 4
  const name = StyledLine.raw(`${check.padEnd(longest)}  `, status === "ok" ? "faint" : "strong")
  return [
    ...StyledLine.wrap([marks[status], name, StyledLine.piece(message)], columns, indent),
    ...(remedy === undefined
      ? []
      : [[StyledLine.raw(" ".repeat(indent)), StyledLine.raw("→ ", "faint"), StyledLine.piece(remedy)]])
  ]
}
