/**
 * Folds the plan into the model of a job: the units and tasks of `orch.started`, or of the job's record.
 */
import type { Cost } from "../domain/Cost.js"
import type { Asked, ShownTaskState, ShownUnitState } from "./shownState.js"
import * as JobModel from "./JobModel.js"
import type { Fields } from "./payload.js"
import * as why from "./reason.js"
import * as taskNotes from "./taskNotes.js"
import type { Payloads } from "./vocabulary.js"

/** Applies a plan; each attempt of the job repeats it with the same units. */
export const applyPlan = (model: JobModel.JobModel, plan: Fields<Payloads["orch.started"]>): void => {
  for (const planned of plan.list("units")) {
    const id = planned.string("id")
    if (id === undefined) continue
    const unit = JobModel.unit(model, id)
    unit.dependsOn = planned.strings("dependsOn")
    const tasks = planned.list("tasks")
    for (const each of tasks) {
      const number = each.number("number")
      if (number === undefined) continue
      const task = JobModel.task(unit, number)
      task.title = each.text("title")
      task.state = begunAgain(task.state)
      if (each.string("status") === "complete" && task.state === "pending") task.state = "skipped"
    }
    if (unit.question === undefined) unit.state = begunAgain(unit.state)
    const isDone = tasks.length > 0 && [...unit.tasks.values()].every(({ state }) => state === "skipped")
    if (isDone && unit.state === "pending") unit.state = "skipped"
  }
  model.planVersion += 1
}

/** Unfinished work of an earlier attempt of the job is pending again. */
const begunAgain = <State extends string>(state: State | "waiting" | "interrupted"): State | "pending" =>
  state === "waiting" || state === "interrupted" ? "pending" : state

/** The part of a job's record that is shown until its events have arrived. */
export interface Recorded {
  readonly attempt: number
  readonly units: ReadonlyArray<{
    readonly unit: string
    readonly dependsOn: ReadonlyArray<string>
    readonly state: ShownUnitState
    readonly reason?: string | undefined
  }>
  readonly tasks: ReadonlyArray<{
    readonly unit: string
    readonly task: number
    readonly title: string
    readonly state: ShownTaskState
    readonly reason?: string | undefined
    readonly commit?: string | undefined
    readonly cost?: Cost | undefined
    readonly notes: ReadonlyArray<unknown>
  }>
  readonly questions?: ReadonlyArray<Asked & { readonly question: string }> | undefined
}

export const ofRecord = ({ attempt, questions = [], tasks, units }: Recorded): JobModel.JobModel => {
  const model = JobModel.make()
  model.attempt = attempt
  for (const { dependsOn, reason, state, unit } of units) {
    const asked = questions.findLast((question) => question.unit === unit && question.answer === undefined)
    const question = state === "needs-answer" && asked !== undefined ? why.text(asked.question) : undefined
    Object.assign(JobModel.unit(model, unit), { dependsOn, question, reason: reason && why.text(reason), state })
  }
  for (const { commit, cost, notes, reason, state, task, title, unit } of tasks) {
    const known = JobModel.task(JobModel.unit(model, unit), task)
    Object.assign(known, { commit, cost, reason: reason && why.text(reason), state, title })
    known.notes = taskNotes.inOrder(notes.map(taskNotes.read))
  }
  return model
}
