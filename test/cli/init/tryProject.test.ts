import { describe, expect, it } from "@effect/vitest"
import * as tryProject from "../../../src/cli/init/tryProject.js"

describe("the lines of a trial of a project", () => {
  it("keep the end of the output of a failed command as it was indented", () => {
    const tried = [
      { command: "npm ci", took: 1000 },
      { command: "npm test", took: 2000, problem: "exited with 7\n1 test fails:\n  left  is not right" }
    ]
    expect(tryProject.lines(tried).map((line) => line.map(({ text }) => text).join(""))).toEqual([
      "✓ npm ci (1.0 s)",
      "✗ npm test exited with 7 (2.0 s)",
      "    1 test fails:",
      "      left  is not right"
    ])
  })
})
