import { describe, expect, it } from "@effect/vitest"
import { Work } from "charlotte"
import { Effect, Option } from "effect"
import { ObjectId } from "../../src/git/RefNames.js"
import * as workRange from "../../src/tasks/workRange.js"

const commit = (digit: string) => ObjectId.make(digit.repeat(40))
const [base, own, merge] = [commit("0"), commit("1"), commit("2")]

const task = (task: number, commit: string, resolves?: ReadonlyArray<string>) =>
  new Work.TaskRecord({
    unit: "a",
    task,
    position: task - 1,
    title: "a task",
    state: "completed",
    failures: 0,
    calls: 1,
    notes: [],
    commit,
    ...(resolves && { resolves })
  })

describe("the range of a unit's work", () => {
  it.effect("ends at the last task of its plan, not at the merge that resolves a conflict with other units", () =>
    Effect.sync(() => {
      const unit = new Work.UnitRecord({ unit: "a", position: 0, dependsOn: [], state: "merged", base })
      const work = new Work.Work({ units: [unit], tasks: [task(1, own), task(2, merge, ["shared.txt"])] })
      expect(workRange.ofUnit({ base }, work, "a")).toEqual(Option.some({ base, head: own }))
    })
  )
})
