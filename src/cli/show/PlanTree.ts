/**
 * A plan as a tree: waves of units that can run in parallel, and their tasks in order.
 */
import { Effect } from "effect"
import type { Conflicts } from "../../domain/JobConfig.js"
import type { Plan, Task, Unit } from "../../tasks/plan/Plan.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { Output, writeLines } from "../terminal/Output.js"
import { count } from "../terminal/format.js"

/** For `--json`. */
export const json = ({ settings, units }: Plan, conflicts: Conflicts = settings.conflicts ?? "fail") => ({
  conflicts,
  units: units.map(({ dependsOn, id, tasks }) => ({
    id,
    dependsOn,
    tasks: tasks.map(({ agents, dependsOn, file, number, status, title }) => ({
      number,
      title,
      status,
      dependsOn,
      file,
      agents: agents.map(({ agent, model }) => ({ agent, model }))
    }))
  }))
})

/** Prints a plan as a tree or as JSON. */
export const write = (plan: Plan, asJson: boolean, conflicts: Conflicts = plan.settings.conflicts ?? "fail") =>
  Effect.gen(function* () {
    const { isTerminal, size, write } = yield* Output
    if (asJson) return yield* write(`${JSON.stringify(json(plan, conflicts))}\n`)
    yield* writeLines(render(plan, isTerminal ? (yield* size).columns : Infinity, conflicts))
  })

export const render = (
  plan: Plan,
  columns: number,
  conflicts: Conflicts = plan.settings.conflicts ?? "fail"
): ReadonlyArray<StyledLine.Line> => {
  const toDo = plan.remainingTasks
  // Where all tasks have the same agents, they need not be repeated.
  const differ = new Set(toDo.map(agentsText)).size > 1
  const hasWork = new Set(plan.remaining.map(({ id }) => id))
  return [
    ...plan.waves.flatMap((units, index) => [
      [StyledLine.raw(`wave ${index + 1}`, "strong")],
      ...branches(units, unitLine(hasWork), (unit) =>
        branches(unit.tasks, taskLine, (task) => [...(differ ? agentLine(task) : []), ...gateLine(task)])
      ),
      StyledLine.empty
    ]),
    summary(plan, differ ? "" : (toDo.map(agentsText)[0] ?? "")),
    ...(hasWork.size > 1 ? [[StyledLine.raw(order, "faint")], [StyledLine.raw(onConflict[conflicts], "faint")]] : [])
  ].map((line) => StyledLine.fit(line, columns))
}

const order = "a unit begins once the units that it comes after are done; units are merged in this order"

const onConflict: { readonly [C in Conflicts]: string } = {
  agent: "one turn of its agent resolves a conflict of a unit with those merged before it",
  fail: "a unit that conflicts with those merged before it fails, and keeps its commits"
}

/** `claude (opus), then codex`; empty if nothing names an agent. */
const agentsText = ({ agents }: Task): string =>
  agents.map(({ agent, model }) => (model === undefined ? agent : `${agent} (${model})`)).join(", then ")

/** Each item with the lines below it. */
const branches = <A>(
  items: ReadonlyArray<A>,
  line: (item: A) => StyledLine.Line,
  below: (item: A) => ReadonlyArray<StyledLine.Line>
): ReadonlyArray<StyledLine.Line> =>
  items.flatMap((item, index) => {
    const isLast = index === items.length - 1
    return [
      [StyledLine.raw(isLast ? "└─ " : "├─ ", "faint"), ...line(item)],
      ...below(item).map((line) => [StyledLine.raw(isLast ? "   " : "│  ", "faint"), ...line])
    ]
  })

/** A unit begins at the tip of the one unit that it depends on, or at the merge of several. */
const unitLine =
  (hasWork: ReadonlySet<string>) =>
  ({ dependsOn, id, remaining }: Unit): StyledLine.Line => [
    StyledLine.piece(id, "name"),
    ...after(dependsOn),
    ...(dependsOn.filter((id) => hasWork.has(id)).length > 1 ? [StyledLine.raw(", at their merge", "faint")] : []),
    ...(remaining.length === 0 ? [StyledLine.raw("  complete, skipped", "faint")] : [])
  ]

const taskLine = ({ dependsOn, number, status, title }: Task): StyledLine.Line => {
  const done = status === "complete"
  const noted = done ? "complete, skipped" : status === "pending" ? "" : status.replace("_", " ")
  return [
    StyledLine.raw(`${number} `, done ? "faint" : "strong"),
    StyledLine.piece(title, done ? "faint" : "plain"),
    ...after(dependsOn),
    ...(noted === "" ? [] : [StyledLine.raw(`  ${noted}`, done ? "faint" : "warn")])
  ]
}

const agentLine = (task: Task): ReadonlyArray<StyledLine.Line> =>
  task.status === "complete"
    ? []
    : [[StyledLine.raw("  agent ", "faint"), StyledLine.piece(agentsText(task) || "none", "faint")]]

const gateLine = ({ backpressure, status }: Task): ReadonlyArray<StyledLine.Line> =>
  status === "complete" ? [] : [[StyledLine.raw("  gate  ", "faint"), StyledLine.piece(backpressure, "faint")]]

const after = (others: ReadonlyArray<string | number>): StyledLine.Line =>
  others.length === 0 ? [] : [StyledLine.raw(`  after ${others.join(", ")}`, "faint")]

const summary = (plan: Plan, agents: string): StyledLine.Line => {
  const tasks = plan.units.flatMap((unit) => unit.tasks)
  const toDo = plan.remainingTasks.length
  const parts = [count(plan.units.length, "unit"), count(tasks.length, "task"), count(plan.waves.length, "wave")]
  const skipped = tasks.length === toDo ? "" : `, ${tasks.length - toDo} skipped`
  const by = agents === "" ? "" : `, agent ${agents}`
  return [StyledLine.raw(`${parts.join(", ")}: ${toDo} to do${skipped}`), StyledLine.piece(by)]
}
