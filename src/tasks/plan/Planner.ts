/**
 * Builds a plan from parsed files, or reports all of their problems.
 */
import { Either, Schema } from "effect"
import { UnitName } from "../../yaml/fields.js"
import type { PlacedChoice } from "./AgentChoice.js"
import * as Graph from "./Graph.js"
import { Plan, Task, Unit } from "./Plan.js"
import { InvalidPlan, Diagnostic } from "../../yaml/Diagnostic.js"
import type { Settings } from "./Settings.js"
import { oneOf, suggestion } from "../../yaml/didYouMean.js"
import type { TaskFile } from "./TaskFile.js"
import type { UnitFile } from "./UnitFile.js"

/** Only called if there are no problems, so it does not throw: an invalid name is a problem. */
const unitName = Schema.decodeSync(UnitName)

export interface UnitSource {
  /** Relative to the repository. */
  readonly dir: string
  readonly file: UnitFile
  readonly tasks: ReadonlyArray<PlannedTaskFile>
}

export interface HashedTaskFile extends TaskFile {
  readonly sha256: string
}

export interface PlannedTaskFile extends HashedTaskFile {
  /** The agents that may work on it. */
  readonly choices: ReadonlyArray<PlacedChoice>
}

/** The built-in agent that runs the `sh` blocks of the tasks themselves. */
const scriptAgent = "script"

export const plan = (sources: {
  readonly dir: string
  readonly files: ReadonlyArray<string>
  readonly units: ReadonlyArray<UnitSource>
  readonly settings: Settings
  /** Problems that were found while reading the files. */
  readonly problems: ReadonlyArray<Diagnostic>
}): Either.Either<Plan, InvalidPlan> => {
  // Each step appends to it; the plan is built only if it is empty at the end.
  const problems: Array<Diagnostic> = [...sources.problems]
  const units = orderUnits(sources.units, problems).map((unit) => ({
    unit,
    tasks: orderTasks(unit, problems)
  }))
  if (problems.length > 0) return Either.left(InvalidPlan.of(problems))
  return Either.right(
    new Plan({
      dir: sources.dir,
      files: sources.files,
      settings: sources.settings,
      units: units.map(
        ({ tasks, unit }) =>
          new Unit({
            id: unitName(unit.file.id),
            dir: unit.dir,
            dependsOn: unique(unit.file.dependsOn).map((id) => unitName(id)),
            planText: unit.file.planText,
            tasks: tasks.map(
              (task) =>
                new Task({
                  ...task,
                  dependsOn: unique(task.dependsOn),
                  agents: task.choices.map(({ choice }) => choice)
                })
            )
          })
      )
    })
  )
}

const orderUnits = (units: ReadonlyArray<UnitSource>, problems: Array<Diagnostic>): ReadonlyArray<UnitSource> => {
  const byName = new Map<string, UnitSource>()
  // Units have directories and branches, whose names may be case-insensitive, so API and api collide.
  const taken = new Map<string, UnitSource>()
  for (const unit of units) {
    const { file, id, line } = unit.file
    problems.push(...unit.file.problems)
    const other = taken.get(id.toLowerCase())
    if (other === undefined) {
      taken.set(id.toLowerCase(), unit)
      byName.set(id, unit)
    } else {
      problems.push(
        new Diagnostic({ file, line, message: `is unit "${id}", as is ${other.file.file}: rename one of them` })
      )
    }
  }
  const sorted = order(byName, problems, {
    node: ({ file }) => file,
    self: (id) => `has unit "${id}" depend on itself: remove that dependency`,
    unknown: (id) => `depends on unit "${id}", which does not exist${suggestion(id, [...byName.keys()].sort())}`,
    cycle: (path) => `is part of a dependency cycle of units: ${path}`
  })
  // The order in which units are merged: a unit that can begin early does not wait for a long chain of others.
  const nodes = sorted.map(({ file }) => [file.id, file.dependsOn.map(({ to }) => to)] as const)
  return Graph.waves(nodes).flatMap((ids) => ids.flatMap((id) => byName.get(id) ?? []))
}

const orderTasks = (unit: UnitSource, problems: Array<Diagnostic>): ReadonlyArray<PlannedTaskFile> => {
  const byNumber = new Map<number, PlannedTaskFile>()
  for (const task of unit.tasks) {
    const { file, line, number } = task
    problems.push(...task.problems)
    const isScript = task.choices.some(({ choice }) => choice.agent === scriptAgent)
    if (isScript && task.scripts.length === 0 && task.status !== "complete" && !isUnreadable(task)) {
      const message = "has no fenced sh block for the script agent to run: add one, or choose another agent"
      problems.push(new Diagnostic({ file, line: 1, message }))
    }
    const other = byNumber.get(number)
    if (other === undefined) byNumber.set(number, task)
    else
      problems.push(
        new Diagnostic({ file, line, message: `is task ${number}, as is ${other.file}: renumber one of them` })
      )
  }
  return order(byNumber, problems, {
    node: (task) => task,
    self: (number) => `has task ${number} depend on itself: remove that dependency`,
    unknown: (number) =>
      `depends on task ${number}, which does not exist in this unit: expected ${oneOf([...byNumber.keys()].sort((a, b) => a - b))}`,
    cycle: (path) => `is part of a dependency cycle of tasks: ${path}`
  })
}

const isUnreadable = (task: TaskFile): boolean => task.prompt === "" && task.problems.length > 0

interface Node<K> {
  readonly file: string
  readonly dependsOn: ReadonlyArray<{ readonly to: K; readonly line: number }>
}

/** Reported dependency problems per file. */
const maxWrong = 20

/** Sorts units or tasks topologically, and reports invalid dependencies with the messages of `describe`. */
const order = <K extends string | number, A>(
  nodes: ReadonlyMap<K, A>,
  problems: Array<Diagnostic>,
  describe: {
    readonly node: (value: A) => Node<K>
    readonly self: (key: K) => string
    readonly unknown: (key: K) => string
    readonly cycle: (path: string) => string
  }
): ReadonlyArray<A> => {
  const graph = new Map<K, ReadonlyArray<K>>()
  for (const [key, node] of nodes) {
    const { dependsOn, file } = describe.node(node)
    const wrong = dependsOn.filter(({ to }) => to === key || !nodes.has(to)).slice(0, maxWrong)
    for (const { line, to } of wrong) {
      problems.push(new Diagnostic({ file, line, message: to === key ? describe.self(to) : describe.unknown(to) }))
    }
    graph.set(
      key,
      unique(dependsOn).filter((to) => to !== key && nodes.has(to))
    )
  }
  const { cycles, order } = Graph.sort(graph)
  for (const cycle of cycles) problems.push(...cycleProblem(cycle, nodes, describe))
  return order.flatMap((key) => nodes.get(key) ?? [])
}

/** The problem, on the line where the first node of the cycle depends on the second. */
const cycleProblem = <K extends string | number, A>(
  cycle: ReadonlyArray<K>,
  nodes: ReadonlyMap<K, A>,
  describe: { readonly node: (value: A) => Node<K>; readonly cycle: (path: string) => string }
): ReadonlyArray<Diagnostic> => {
  const [first, second] = cycle
  const node = first === undefined ? undefined : nodes.get(first)
  if (node === undefined) return []
  const { dependsOn, file } = describe.node(node)
  const line = dependsOn.find(({ to }) => to === second)?.line
  return [new Diagnostic({ file, line, message: describe.cycle(cycle.join(" → ")) })]
}

/** Sorted, without duplicates. */
const unique = <K extends string | number>(dependsOn: ReadonlyArray<{ readonly to: K }>): ReadonlyArray<K> =>
  [...new Set(dependsOn.map(({ to }) => to))].sort((a, b) => (a < b ? -1 : 1))
