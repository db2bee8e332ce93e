/**
 * `charlotte plan`: what a job would do. It touches nothing.
 */
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import * as Git from "../../tasks/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import { Output, writeLines } from "../Output.js"
import * as Place from "../Place.js"
import * as PlanTree from "../PlanTree.js"
import { about, agent, json, repo, tasksDir } from "./parameters.js"

export const plan = Command.make("plan", { repo, agent, json, tasksDir }, ({ agent, json, ...given }) =>
  Effect.gen(function* () {
    const { repository, tasksDir } = yield* Place.find(given)
    const plan = yield* TaskDirectory.read({
      repository: repository.topLevel,
      tasksDir,
      agent: Option.getOrUndefined(agent)
    })
    const output = yield* Output
    if (json) return yield* output.write(`${JSON.stringify(PlanTree.json(plan))}\n`)
    const { columns } = yield* output.size
    yield* writeLines(PlanTree.render(plan, output.isTerminal ? columns : Infinity))
  }).pipe(Effect.provide(Git.layer))
).pipe(
  Command.withDescription(
    about(
      "Shows what a job would do: units, tasks, their order, what is skipped. Touches nothing.",
      "charlotte plan tasks"
    )
  )
)
