import { expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { BranchName } from "../../../src/git/RefNames.js"
import * as PlanSnapshot from "../../../src/tasks/run/PlanSnapshot.js"

const keyOf = (target: string) =>
  PlanSnapshot.key({ identity: "64768:1234567", target: Schema.decodeSync(BranchName)(target), topLevel: "/repo" })

it("the key of a job has at most 256 bytes, and belongs to one branch, however long its name is", () => {
  const [one, other] = [keyOf(`${"long/".repeat(46)}one`), keyOf(`${"long/".repeat(46)}other`)]
  expect(Buffer.byteLength(one.key)).toBeLessThanOrEqual(256)
  expect(one.key).not.toBe(other.key)
  expect(keyOf("main").key).toBe("branch main of repository 64768:1234567")
})
