/**
 * `charlotte plan`: validates a task directory and shows what a job would do.
 */
import { Effect, Option } from "effect"
import * as Git from "../../git/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import * as PlanTree from "./PlanTree.js"
import * as resolveTasksDir from "../start/resolveTasksDir.js"

export interface Options extends resolveTasksDir.Given {
  readonly agent: Option.Option<string>
  readonly json: boolean
}

export const showPlan = ({ agent, json, ...given }: Options) =>
  Effect.gen(function* () {
    const { repository, tasksDir } = yield* resolveTasksDir.find(given)
    const plan = yield* TaskDirectory.read({
      repository: repository.topLevel,
      tasksDir,
      agent: Option.getOrUndefined(agent)
    })
    yield* PlanTree.write(plan, json)
  }).pipe(Effect.provide(Git.layer))
