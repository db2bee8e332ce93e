/**
 * The plans of a night: a few units, whose tasks name one agent, or two of which the second continues where the first cannot.
 */
import { DateTime } from "effect"

import { type BranchName, type ObjectId, UnitName } from "../../../src/git/RefNames.js"
import { AgentChoice } from "../../../src/tasks/plan/AgentChoice.js"
import { Plan, Task, Unit } from "../../../src/tasks/plan/Plan.js"
import { defaults, Limits, Settings } from "../../../src/tasks/plan/Settings.js"
import * as PlanSnapshot from "../../../src/tasks/run/PlanSnapshot.js"
import { TaskNumber } from "../../../src/yaml/fields.js"
import type { Random } from "../Random.js"
import { opened } from "../Repository.js"
import * as Money from "./Money.js"
import { gateOf } from "./Turns.js"

/** How many verdicts fail a task. */
export const attempts = 3

/** When and on what a job is started. */
export interface At {
  readonly at: number
  readonly target: BranchName
  readonly base: ObjectId
}

/** A task that is done once its gate finds the file of its result. */
export const task = (unit: UnitName, number: number, agents: ReadonlyArray<string>): Task =>
  new Task({
    number: TaskNumber.make(number),
    title: `${unit} ${number}`,
    status: "pending",
    backpressure: gateOf(unit, number),
    dependsOn: [],
    file: `${unit}/0${number}-task.md`,
    agents: agents.map((agent) => new AgentChoice({ agent })),
    prompt: `Task ${number} of unit ${unit}.`,
    scripts: [],
    sha256: "0"
  })

export const of = (
  { at, base, target }: At,
  units: ReadonlyArray<Unit>,
  settings: Partial<Settings> = {}
): PlanSnapshot.PlanSnapshot =>
  new PlanSnapshot.PlanSnapshot({
    at: DateTime.unsafeMake(at),
    topLevel: opened.topLevel,
    identity: opened.identity,
    fingerprint: {},
    target,
    targetAt: base,
    base,
    agent: "claude",
    plan: new Plan({ dir: ".", files: [], units, settings: new Settings({ ...defaults, attempts, ...settings }) }),
    taken: new PlanSnapshot.Taken({ begun: {}, tasks: [], worktrees: {} })
  })

export const make = (random: Random, at: At): PlanSnapshot.PlanSnapshot => {
  const names = ["a", "b", "c"].slice(0, random.between(1, 3)).map((name) => UnitName.make(name))
  const agents = () => random.pick([["claude"], ["codex"], ["claude", "codex"], ["codex", "claude"]])
  const units = names.map(
    (id, i) =>
      new Unit({
        id,
        dir: id,
        dependsOn: names.slice(0, i).filter(() => random.chance(0.3)),
        tasks: Array.from({ length: random.between(1, 3) }, (_, i) => task(id, i + 1, agents()))
      })
  )
  return of(at, units, { limits: new Limits(Money.limits(random)) })
}
