/**
 * `charlotte run`: runs a job in the foreground, or through the daemon if one is running.
 */
import { Effect } from "effect"
import * as Git from "../../git/Git.js"
import * as startAndFollow from "./startAndFollow.js"
import * as submitOptions from "../submitOptions.js"

export const runTasks = ({ json, ...given }: submitOptions.Options) =>
  Effect.gen(function* () {
    const config = yield* submitOptions.read(given)
    if (config.dryRun) return yield* submitOptions.show(config, json)
    yield* startAndFollow.follow({ begin: (manager) => manager.start(config), json })
  }).pipe(Effect.provide(Git.layer))
