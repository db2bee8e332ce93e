/** The tool that starts a job. */
import { Effect, Option, Schema } from "effect"
import type { Landing } from "../../domain/JobConfig.js"
import { JobId } from "../../domain/JobId.js"
import { RunStatus } from "../../domain/RunStatus.js"
import type { Permission } from "./Permission.js"
import { UsageError } from "../parser/UsageError.js"
import * as StartTime from "../start/StartTime.js"
import { submitJob } from "../start/submitJob.js"
import { captured } from "./captured.js"
import * as host from "./host.js"
import * as inputs from "./inputs.js"
import * as Tool from "./Tool.js"

type Landings = readonly [Landing, ...ReadonlyArray<Landing>]

const landings: Landings = ["auto", "done", "ask", "pull-request", "never"]

/** Without permission to land, an agent may only ask for less than what the person has configured. */
const careful: Landings = ["ask", "never"]

const meanings: { readonly [L in Landing]: string } = {
  auto: "auto, all units or nothing",
  done: "done, the units that are done",
  ask: "ask, all units once a person approves",
  "pull-request": "pull-request, a pull request with all units instead",
  never: "never, nothing"
}

const landing = (offered: Landings) =>
  Schema.Literal(...offered).annotations({
    description: `What lands on the target branch: ${offered.map((land) => meanings[land]).join("; ")}. By default, it lands as charlotte.yaml says, or else all units or nothing.`
  })

const Printed = Schema.Struct({
  id: JobId,
  status: RunStatus,
  waitsFor: Schema.optional(Schema.String),
  startAt: Schema.optional(Schema.String),
  isEarlier: Schema.Boolean
})

const timeOf = (text: string) =>
  Effect.mapError(
    StartTime.parse(text),
    (expected) => new UsageError({ problem: `startAt: expected ${expected}`, hint: "call start again" })
  )

export const start = (allowed: ReadonlySet<Permission>) =>
  Tool.make({
    name: "start",
    description:
      "Start a job that works through a task directory, and return its id at once. The job runs in a daemon, and does not depend on this conversation. Its agents work in worktrees, so the checkout of the person stays as it is. If all places are taken, it waits for one. Call plan first; then follow.",
    hints: Tool.adds,
    input: Schema.Struct({
      tasksDir: inputs.text("The task directory, relative to repo, as for plan."),
      repo: inputs.repo,
      target: inputs.optional(
        inputs.text("The branch that receives the result; the one that is checked out by default.")
      ),
      agent: inputs.optional(inputs.text("The agent for all tasks; those that the files name by default.")),
      concurrency: inputs.optional(inputs.number(1, 100, "How many units to work on in parallel; 4 by default.")),
      land: inputs.optional(landing(allowed.has("land") ? landings : careful)),
      labels: inputs.optional(
        Schema.Record({ key: Schema.String, value: Schema.String }).annotations({
          description: "Labels to find the job by."
        })
      ),
      startAt: inputs.optional(inputs.text("Start no earlier, at a time such as 22:00 or 2026-01-31T08:00.")),
      idempotencyKey: inputs.optional(
        Schema.String.pipe(Schema.pattern(/^[\x21-\x7e]{1,200}$/)).annotations({
          description: "Makes it safe to call again: the same key always means the same job."
        })
      )
    }),
    output: Schema.Struct({
      ...Printed.fields,
      isEarlier: Schema.Boolean.annotations({
        description: "Whether no job was started, since this one has the same idempotency key."
      })
    }),
    run: ({ agent, concurrency, idempotencyKey, labels = {}, land, repo, startAt, target, tasksDir }) =>
      Effect.gen(function* () {
        const at = startAt === undefined ? Option.none() : Option.some(yield* timeOf(startAt))
        yield* host.daemon
        return yield* captured(
          Printed,
          submitJob({
            tasksDir,
            at,
            repo: Option.fromNullable(repo),
            target: Option.fromNullable(target),
            agent: Option.fromNullable(agent),
            concurrency: Option.fromNullable(concurrency),
            land: Option.fromNullable(land),
            labels: Object.entries(labels),
            idempotencyKey: Option.fromNullable(idempotencyKey),
            queue: true,
            noLand: false,
            unit: [],
            dryRun: false,
            conflicts: Option.none(),
            priority: Option.none(),
            delay: Option.none(),
            key: Option.none(),
            onKey: Option.none(),
            json: true
          })
        )
      })
  })
