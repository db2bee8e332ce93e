/**
 * `charlotte run`: works through a directory of tasks, and shows how.
 */
import * as Command from "@effect/cli/Command"
import type { Effect, Option } from "effect"
import * as parameters from "./parameters.js"

export interface Given {
  readonly tasksDir: string
  readonly repo: Option.Option<string>
  readonly target: Option.Option<string>
  readonly agent: Option.Option<string>
  readonly concurrency: Option.Option<number>
  readonly noLand: boolean
  readonly dryRun: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly json: boolean
}

const { agent, concurrency, dryRun, json, labels, noLand, repo, target, tasksDir } = parameters

export const make = <E, R>(run: (given: Given) => Effect.Effect<void, E, R>) =>
  Command.make("run", { tasksDir, repo, target, agent, concurrency, noLand, dryRun, labels, json }, run).pipe(
    Command.withDescription(
      parameters.about(
        "Works through a directory of tasks, and shows how. Ctrl-C leaves the job interrupted; twice, it forces the end.",
        "charlotte run tasks --target main --agent claude --concurrency 2 --label team=web"
      )
    )
  )
