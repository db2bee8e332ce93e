/**
 * `charlotte start`: submits a task directory to the daemon.
 */
import { DateTime, Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { DaemonNotRunning } from "../../http/contract/errors.js"
import * as Git from "../../git/Git.js"
import * as JobSource from "../target/JobSource.js"
import * as startJob from "./startJob.js"
import * as startOptions from "./startOptions.js"
import * as submitOptions from "./submitOptions.js"
import { Output, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import { timeZone } from "../terminal/timeZone.js"

export interface Options extends submitOptions.Options, startOptions.Given {}

export const submitJob = ({ json, ...given }: Options) =>
  Effect.gen(function* () {
    const options = yield* startOptions.read(given)
    const config = yield* submitOptions.read(given)
    if (config.dryRun) return yield* submitOptions.show(config, json)
    const { socket } = yield* Home.Home
    const daemon = yield* JobSource.daemon
    if (Option.isNone(daemon)) return yield* new DaemonNotRunning({ address: socket })
    const started = yield* startJob.start(daemon.value.client, config, options)
    yield* json ? writeJson(object(started)) : print(started)
  }).pipe(Effect.provide([Git.layer, Home.layerUntouched]))

/** Prints only the id to a pipe. */
const print = (started: startJob.Started) =>
  Effect.gen(function* () {
    const { error, isTerminal, write } = yield* Output
    const { id } = started
    yield* write(`${id}\n`)
    const notice = Option.toArray(startJob.notice(started, { now: yield* DateTime.now, zone: yield* timeZone }))
    yield* isTerminal
      ? writeLines([...notice, `watch it with: charlotte watch ${id}`].map((text) => [StyledLine.raw(text, "faint")]))
      : Effect.forEach(notice, (text) => error(`${text}; see: charlotte show ${id}\n`), { discard: true })
  })

/** With the state of a job that may have to wait, which was looked up. */
const object = ({ id, isEarlier, job }: startJob.Started) => ({
  id,
  ...Option.match(job, {
    onNone: () => ({}),
    onSome: ({ startAt, status, waitsFor }) => ({
      status,
      waitsFor,
      startAt: startAt && DateTime.formatIso(startAt),
      isEarlier
    })
  })
})
