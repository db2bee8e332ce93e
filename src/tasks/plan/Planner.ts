/**
 * Makes a plan of the files that were read, or says all that is wrong with them.
 */
import { Either, Schema } from "effect"
import { UnitName } from "../../yaml/fields.js"
import * as Graph from "./Graph.js"
import { Plan, Task, Unit } from "./Plan.js"
import { InvalidPlan, Diagnostic } from "../../yaml/Diagnostic.js"
import type { Settings } from "./Settings.js"
import { few, suggestion } from "../../yaml/didYouMean.js"
import type { TaskFile } from "./TaskFile.js"
import type { UnitFile } from "./UnitFile.js"

/** Not called while there are problems, and a bad name is one. */
const unitName = Schema.decodeSync(UnitName)

export interface UnitSource {
  /** Relative to the repository. */
  readonly dir: string
  readonly file: UnitFile
  readonly tasks: ReadonlyArray<HashedTaskFile>
}

export interface HashedTaskFile extends TaskFile {
  readonly sha256: string
}

export const plan = (sources: {
  readonly dir: string
  readonly files: ReadonlyArray<string>
  readonly units: ReadonlyArray<UnitSource>
  readonly settings: Settings
  /** What was already found while reading. */
  readonly problems: ReadonlyArray<Diagnostic>
  /** Whether each task must have an `sh` block, since the `script` agent will run it. */
  readonly scripts: boolean
}): Either.Either<Plan, InvalidPlan> => {
  // Each finds more; the plan is made at the end, when there is nothing to find.
  const problems: Array<Diagnostic> = [...sources.problems]
  const units = orderUnits(sources.units, problems).map((unit) => ({
    unit,
    tasks: orderTasks(unit, problems, sources.scripts)
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
            tasks: tasks.map((task) => new Task({ ...task, dependsOn: unique(task.dependsOn) }))
          })
      )
    })
  )
}

const orderUnits = (units: ReadonlyArray<UnitSource>, problems: Array<Diagnostic>): ReadonlyArray<UnitSource> => {
  const byName = new Map<string, UnitSource>()
  // A file system may not tell API from api, and every unit has a directory and a branch of its own.
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
        new Diagnostic({ file, line, message: `is unit "${id}", and so is ${other.file.file}: rename one` })
      )
    }
  }
  return order(byName, problems, {
    of: ({ file }) => file,
    self: (id) => `has unit "${id}" depend on itself: leave it out`,
    unknown: (id) => `depends on unit "${id}", which is not there${suggestion(id, [...byName.keys()].sort())}`,
    cycle: (path) => `has units that wait for each other: ${path}`
  })
}

const orderTasks = (unit: UnitSource, problems: Array<Diagnostic>, scripts: boolean): ReadonlyArray<HashedTaskFile> => {
  const byNumber = new Map<number, HashedTaskFile>()
  for (const task of unit.tasks) {
    const { file, line, number } = task
    problems.push(...task.problems)
    if (scripts && task.scripts.length === 0 && task.status !== "complete" && !isUnread(task)) {
      const message =
        "has no fenced sh block, and the script agent has nothing to run: add one, or choose another agent"
      problems.push(new Diagnostic({ file, line: 1, message }))
    }
    const other = byNumber.get(number)
    if (other === undefined) byNumber.set(number, task)
    else
      problems.push(new Diagnostic({ file, line, message: `is task ${number}, and so is ${other.file}: renumber one` }))
  }
  return order(byNumber, problems, {
    of: (task) => task,
    self: (number) => `has task ${number} depend on itself: leave it out`,
    unknown: (number) =>
      `depends on task ${number}, which is not in this unit: there are ${few([...byNumber.keys()].sort((a, b) => a - b))}`,
    cycle: (path) => `has tasks that wait for each other: ${path}`
  })
}

const isUnread = (task: TaskFile): boolean => task.prompt === "" && task.problems.length > 0

interface Node<K> {
  readonly file: string
  readonly dependsOn: ReadonlyArray<{ readonly to: K; readonly line: number }>
}

/** Of one file; enough to see what is wrong. */
const maxWrong = 20

/** The same for units and for tasks, but for what is said. */
const order = <K extends string | number, A>(
  nodes: ReadonlyMap<K, A>,
  problems: Array<Diagnostic>,
  say: {
    readonly of: (node: A) => Node<K>
    readonly self: (key: K) => string
    readonly unknown: (key: K) => string
    readonly cycle: (path: string) => string
  }
): ReadonlyArray<A> => {
  const graph = new Map<K, ReadonlyArray<K>>()
  for (const [key, node] of nodes) {
    const { dependsOn, file } = say.of(node)
    const wrong = dependsOn.filter(({ to }) => to === key || !nodes.has(to)).slice(0, maxWrong)
    for (const { line, to } of wrong) {
      problems.push(new Diagnostic({ file, line, message: to === key ? say.self(to) : say.unknown(to) }))
    }
    graph.set(
      key,
      unique(dependsOn).filter((to) => to !== key && nodes.has(to))
    )
  }
  const { cycles, order } = Graph.sort(graph)
  for (const cycle of cycles) problems.push(...cycleProblem(cycle, nodes, say))
  return order.flatMap((key) => nodes.get(key) ?? [])
}

/** Where the first of the cycle names the second. */
const cycleProblem = <K extends string | number, A>(
  cycle: ReadonlyArray<K>,
  nodes: ReadonlyMap<K, A>,
  say: { readonly of: (node: A) => Node<K>; readonly cycle: (path: string) => string }
): ReadonlyArray<Diagnostic> => {
  const [first, second] = cycle
  const node = first === undefined ? undefined : nodes.get(first)
  if (node === undefined) return []
  const { dependsOn, file } = say.of(node)
  const line = dependsOn.find(({ to }) => to === second)?.line
  return [new Diagnostic({ file, line, message: say.cycle(cycle.join(" → ")) })]
}

/** In rising order, each once. */
const unique = <K extends string | number>(dependsOn: ReadonlyArray<{ readonly to: K }>): ReadonlyArray<K> =>
  [...new Set(dependsOn.map(({ to }) => to))].sort((a, b) => (a < b ? -1 : 1))
