/**
 * `charlotte start`: submits a task directory to the daemon.
 */
import { Effect, Option } from "effect"
import * as Home from "../daemon/Home.js"
import { DaemonNotRunning } from "../http/contract/errors.js"
import * as Git from "../git/Git.js"
import * as JobSource from "./JobSource.js"
import * as submitOptions from "./submitOptions.js"
import { Output, writeLines } from "./terminal/Output.js"
import * as StyledLine from "./terminal/StyledLine.js"

export const submitJob = ({ json, ...given }: submitOptions.Options) =>
  Effect.gen(function* () {
    const config = yield* submitOptions.read(given)
    if (config.dryRun) return yield* submitOptions.show(config, json)
    const { isTerminal, write } = yield* Output
    const { socket } = yield* Home.Home
    const daemon = yield* JobSource.daemon
    if (Option.isNone(daemon)) return yield* new DaemonNotRunning({ address: socket })
    const id = yield* daemon.value.start(config)
    yield* write(json ? `${JSON.stringify({ id })}\n` : `${id}\n`)
    if (isTerminal && !json) yield* writeLines([[StyledLine.raw(`watch it with: charlotte watch ${id}`, "faint")]])
  }).pipe(Effect.provide([Git.layer, Home.layerUntouched]))
