/**
 * `charlotte run`: works through a directory of tasks, and shows how.
 */
import * as Command from "@effect/cli/Command"
import { Effect } from "effect"
import * as Git from "../../git/Git.js"
import * as startAndFollow from "../run/startAndFollow.js"
import * as submitOptions from "../submitOptions.js"
import { about, json } from "./parameters.js"

export const run = Command.make("run", { ...submitOptions.options, json }, ({ json, ...given }) =>
  Effect.gen(function* () {
    const config = yield* submitOptions.read(given)
    if (config.dryRun) return yield* submitOptions.show(config, json)
    yield* startAndFollow.follow({ begin: (manager) => manager.start(config), json })
  }).pipe(Effect.provide(Git.layer))
).pipe(
  Command.withDescription(
    about(
      "Works through a directory of tasks, and shows how. Ctrl-C leaves the job interrupted; twice, it forces the end. Where a daemon is up the job is the daemon's, and goes on after Ctrl-C.",
      "charlotte run tasks --target main --agent claude --concurrency 2 --label team=web"
    )
  )
)
