/**
 * `charlotte run`: runs a job in the foreground, or through the daemon if one is running.
 */
import { DateTime, Effect, Option } from "effect"
import * as Git from "../../git/Git.js"
import { pageOpener } from "../page/pageOpener.js"
import { UsageError } from "../parser/UsageError.js"
import * as RemoteServer from "../target/RemoteServer.js"
import * as startJob from "../start/startJob.js"
import * as startOptions from "../start/startOptions.js"
import * as submitOptions from "../start/submitOptions.js"
import { Output } from "../terminal/Output.js"
import * as startAndFollow from "./startAndFollow.js"
import { timeZone } from "../terminal/timeZone.js"

export interface Options extends submitOptions.Options, startOptions.Given {
  readonly open: boolean
}

export const runTasks = ({ json, open, ...given }: Options) =>
  Effect.gen(function* () {
    if (open && (yield* RemoteServer.isUsed)) {
      return yield* new UsageError({
        problem: "the page of another machine's daemon cannot be opened from here",
        hint: "leave out --open"
      })
    }
    const options = yield* startOptions.read(given)
    const config = yield* submitOptions.read(given)
    if (config.dryRun) return yield* submitOptions.show(config, json)
    const { error } = yield* Output
    const zone = yield* timeZone
    const showPage = open ? yield* pageOpener : () => Effect.void
    yield* startAndFollow.follow({
      begin: (manager) =>
        Effect.gen(function* () {
          const started = yield* startJob.start(manager, config, options)
          const { id, isEarlier, job } = started
          const notice = startJob.notice(started, { now: yield* DateTime.now, zone })
          // The events of the job show the rest.
          const isNews = isEarlier || Option.exists(job, ({ waitsFor }) => waitsFor === "key")
          if (isNews && Option.isSome(notice)) yield* error(`${notice.value}\n`)
          // Without a daemon, nothing else resumes it; with one, it waits for a permit if this fails.
          const isInterrupted = isEarlier && Option.exists(job, ({ status }) => status === "interrupted")
          if (isInterrupted) yield* Effect.ignore(manager.resume(id))
          yield* showPage(id)
          return { id }
        }),
      json
    })
  }).pipe(Effect.provide(Git.layer))
