/**
 * `charlotte run`: runs a job in the foreground, or through the daemon if one is running.
 */
import { DateTime, Effect, Option } from "effect"
import * as Git from "../../git/Git.js"
import { startJob } from "../startJob.js"
import * as startOptions from "../startOptions.js"
import * as submitOptions from "../submitOptions.js"
import { Output } from "../terminal/Output.js"
import * as waitingText from "../waitingText.js"
import * as startAndFollow from "./startAndFollow.js"
import { timeZone } from "../terminal/timeZone.js"

export interface Options extends submitOptions.Options, startOptions.Given {}

export const runTasks = ({ json, ...given }: Options) =>
  Effect.gen(function* () {
    const options = yield* startOptions.read(given)
    const config = yield* submitOptions.read(given)
    if (config.dryRun) return yield* submitOptions.show(config, json)
    const { error } = yield* Output
    const zone = yield* timeZone
    yield* startAndFollow.follow({
      begin: (manager) =>
        Effect.gen(function* () {
          const started = yield* startJob(manager, config, options)
          const notice = waitingText.started(started, { now: yield* DateTime.now, zone })
          if (Option.isSome(notice)) yield* error(`${notice.value}\n`)
          return started.id
        }),
      json
    })
  }).pipe(Effect.provide(Git.layer))
