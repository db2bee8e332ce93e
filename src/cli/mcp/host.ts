/**
 * The process that runs jobs, for a tool that acts: the one that is there, or else a daemon that is started for it. Tools that only read
 * start none, since a daemon resumes interrupted jobs.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import * as ensureRunning from "../daemon/ensureRunning.js"
import * as JobSource from "../target/JobSource.js"

const up = Effect.suspend(() =>
  ensureRunning.up({ database: Option.none(), listen: Option.none(), port: {}, node: {}, json: false })
).pipe(Effect.provide(Home.layer))

const started = Effect.gen(function* () {
  yield* up
  const host = yield* JobSource.host
  return Option.isSome(host) ? host.value : yield* new DaemonNotRunning({ address: (yield* Home.Home).socket })
})

const orStarted = Option.match({ onNone: () => started, onSome: (host: JobSource.Host) => Effect.succeed(host) })

/** For what is done to a job: a foreground run that holds the home does it, too. */
export const any = Effect.flatMap(JobSource.host, orStarted)

/** For another job, which a foreground run does not accept. */
export const daemon = Effect.flatMap(JobSource.daemon, orStarted)
