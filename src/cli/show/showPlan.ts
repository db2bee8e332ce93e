/**
 * `charlotte plan`: validates a task directory and shows what a job would do, or the prompt of a task.
 */
import { Effect, Option } from "effect"
import * as Git from "../../git/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import { UsageError } from "../parser/UsageError.js"
import * as PlanTree from "./PlanTree.js"
import * as resolveTasksDir from "../start/resolveTasksDir.js"

export interface Options extends resolveTasksDir.Given {
  /** Only with `prompt`. */
  readonly unit: Option.Option<string>
  readonly task: Option.Option<string>
  readonly prompt: boolean
  readonly agent: Option.Option<string>
  readonly json: boolean
}

export const showPlan = ({ agent, json, prompt, repo, task, tasksDir, unit }: Options) =>
  Effect.gen(function* () {
    const more = [...Option.toArray(unit), ...Option.toArray(task)]
    if (prompt) {
      const { showPrompt } = yield* Effect.promise(() => import("./showPrompt.js"))
      return yield* showPrompt({ words: [tasksDir, ...more], repo, agent, json })
    }
    if (more[0] !== undefined) {
      return yield* new UsageError({
        problem: `unexpected argument "${more[0]}"`,
        hint: "a unit and a task are for --prompt"
      })
    }
    const { repository, tasksDir: directory } = yield* resolveTasksDir.find({ repo, tasksDir })
    const plan = yield* TaskDirectory.read({
      repository: repository.topLevel,
      tasksDir: directory,
      agent: Option.getOrUndefined(agent)
    })
    yield* PlanTree.write(plan, json)
  }).pipe(Effect.provide(Git.layer))
