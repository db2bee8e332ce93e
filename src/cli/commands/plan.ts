/**
 * `charlotte plan`: what a job would do. It touches nothing.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as Git from "../../git/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import * as resolveTasksDir from "../resolveTasksDir.js"
import * as PlanTree from "../PlanTree.js"
import { about, agent, json, repo, tasksDir } from "./parameters.js"

export const plan = Command.make("plan", { repo, agent, json, tasksDir }, ({ agent, json, ...given }) =>
  Effect.gen(function* () {
    const { repository, tasksDir } = yield* resolveTasksDir.find(given)
    const plan = yield* TaskDirectory.read({
      repository: repository.topLevel,
      tasksDir,
      agent: Option.getOrUndefined(agent)
    })
    yield* PlanTree.write(plan, json)
  }).pipe(Effect.provide(Git.layer))
).pipe(
  Command.withDescription(
    about(
      "Shows what a job would do: units, tasks, their order, what is skipped. Touches nothing.",
      "charlotte plan tasks"
    )
  )
)
