/**
 * Jobs of tasks: small plans, as they would have been read from files.
 */
import { DateTime } from "effect"
import { TaskNumber } from "../../src/yaml/fields.js"
import { Plan, Task, Unit } from "../../src/tasks/plan/Plan.js"
import { defaults } from "../../src/tasks/plan/Settings.js"
import { type BranchName, type ObjectId, UnitName } from "../../src/git/RefNames.js"
import * as PlanSnapshot from "../../src/tasks/run/PlanSnapshot.js"
import type { Random } from "./Random.js"
import { opened } from "./Repository.js"

const task = (unit: UnitName, number: number) =>
  new Task({
    number: TaskNumber.make(number),
    title: `${unit} ${number}`,
    status: "pending",
    backpressure: "true",
    dependsOn: [],
    file: `${unit}/0${number}-task.md`,
    prompt: "",
    scripts: ["true"],
    sha256: ""
  })

const unit = (name: UnitName, dependsOn: ReadonlyArray<UnitName>, tasks: number) =>
  new Unit({
    id: name,
    dir: name,
    dependsOn,
    tasks: Array.from({ length: tasks }, (_, i) => task(name, i + 1))
  })

const first = UnitName.make("a")

/** One to three units with one or two tasks each, of which the last may wait for the first. */
export const make = (
  random: Random,
  { at, base, target }: { readonly at: number; readonly target: BranchName; readonly base: ObjectId }
): PlanSnapshot.PlanSnapshot => {
  const names = [first, UnitName.make("b"), UnitName.make("c")].slice(0, random.between(1, 3))
  const units = names.map((name, i) => unit(name, i === 2 && random.chance(0.5) ? [first] : [], random.between(1, 2)))
  return new PlanSnapshot.PlanSnapshot({
    at: DateTime.unsafeMake(at),
    topLevel: opened.topLevel,
    identity: opened.identity,
    fingerprint: {},
    target,
    targetAt: base,
    base,
    agent: "script",
    plan: new Plan({ dir: ".", files: [], units, settings: defaults }),
    taken: new PlanSnapshot.Taken({ begun: {}, tasks: [], worktrees: {} })
  })
}

/** What jobs park for. */
export const signals = ["go", "stay"] as const
