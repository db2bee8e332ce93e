/** The tool that validates a task directory. */
import { Effect, Option, Schema } from "effect"
import * as Git from "../../git/Git.js"
import * as TaskDirectory from "../../tasks/plan/TaskDirectory.js"
import { Task } from "../../tasks/plan/Plan.js"
import * as resolveTasksDir from "../start/resolveTasksDir.js"
import * as inputs from "./inputs.js"
import * as page from "./page.js"
import * as Tool from "./Tool.js"
import * as Untrusted from "./Untrusted.js"

const description = `Validate a task directory and show what a job would do. Changes nothing, and starts nothing.
A task directory holds a directory for each unit; units are worked on in parallel. A unit has the file IMPLEMENTATION_PLAN.md, which may be empty or begin with the frontmatter "depends_on: [OTHER_UNIT]", and a file for each task, such as 01-parser.md; its tasks are done one after another. A task file is:
---
task: 1
backpressure: npm test
---
# The title
What the agent has to do.
"backpressure" is the gate: a shell command that fails before the work and passes once the task is done. charlotte.yaml in the task directory is optional; "agent: claude" in it names the agent. Commit the files before you start the job.`

export const plan = Tool.make({
  name: "plan",
  description,
  hints: Tool.reads,
  input: Schema.Struct({
    tasksDir: inputs.text("The task directory, relative to repo."),
    repo: inputs.repo,
    agent: inputs.optional(inputs.text("The agent for all tasks; those that the files name by default.")),
    skip: inputs.skip
  }),
  output: Schema.Struct({
    units: Schema.Int.annotations({ description: "How many there are." }),
    tasks: Schema.Int.annotations({ description: "How many there are; complete ones are skipped by a job." }),
    page: Schema.Array(
      Schema.Struct({
        unit: Schema.String,
        afterUnits: Schema.Array(Schema.String),
        task: Schema.Int,
        afterTasks: Schema.Array(Schema.Int),
        status: Task.fields.status,
        title: Untrusted.Untrusted,
        gate: Untrusted.Untrusted,
        agents: Schema.Array(Schema.String)
      })
    ),
    next: Schema.optional(
      Schema.Int.annotations({ description: "The value of skip for the next page, if there is one." })
    )
  }),
  run: ({ agent, repo, skip, tasksDir }) =>
    Effect.gen(function* () {
      const { repository, tasksDir: found } = yield* resolveTasksDir.find({ repo: Option.fromNullable(repo), tasksDir })
      const { units } = yield* TaskDirectory.read({ repository: repository.topLevel, tasksDir: found, agent })
      const rows = units.flatMap(({ dependsOn, id, tasks }) =>
        tasks.map((task) => ({
          unit: id,
          afterUnits: dependsOn,
          task: task.number,
          afterTasks: task.dependsOn,
          status: task.status,
          title: Untrusted.line(task.title),
          gate: Untrusted.line(task.backpressure),
          agents: task.agents.map(({ agent }) => agent)
        }))
      )
      return { units: units.length, tasks: rows.length, ...page.after(rows, skip) }
    }).pipe(Effect.provide(Git.layer))
})
