/**
 * `charlotte plan`: validates a task directory and shows what a job would do.
 */
import { Effect, Option } from "effect"
import * as Git from "../../git/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import * as PlanTree from "../PlanTree.js"
import * as CommandTree from "../parser/CommandTree.js"
import * as resolveTasksDir from "../resolveTasksDir.js"
import { agent, json, repo, tasksDir } from "./parameters.js"

export const plan = CommandTree.command(
  {
    description: "Validate a task directory and show its units, their tasks and the order. Changes nothing.",
    example: "charlotte plan tasks",
    parameters: { tasksDir, repo, agent, json }
  },
  ({ agent, json, ...given }) =>
    Effect.gen(function* () {
      const { repository, tasksDir } = yield* resolveTasksDir.find(given)
      const plan = yield* TaskDirectory.read({
        repository: repository.topLevel,
        tasksDir,
        agent: Option.getOrUndefined(agent)
      })
      yield* PlanTree.write(plan, json)
    }).pipe(Effect.provide(Git.layer))
)
