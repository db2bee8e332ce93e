/**
 * `charlotte open`: opens the page in a browser, or ends the sessions of all browsers.
 */
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as ensureRunning from "../daemon/ensureRunning.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { UsageError } from "../parser/UsageError.js"
import * as openPage from "./openPage.js"
import * as sessions from "./sessions.js"

export interface Options {
  readonly job: Option.Option<string>
  readonly print: boolean
  readonly revoke: boolean
  readonly json: boolean
}

export const open = ({ job, json, print, revoke }: Options) =>
  Effect.gen(function* () {
    if (!revoke) return yield* Effect.provide(show({ job, json, print }), Home.layer)
    if (print || Option.isSome(job)) {
      return yield* new UsageError({ problem: "--revoke opens nothing", hint: "leave out the job and --print" })
    }
    yield* Effect.provide(sessions.revoke({ json }), Home.layerUntouched)
  })

const show = ({ job, json, print }: Omit<Options, "revoke">) =>
  Effect.gen(function* () {
    // A foreground run has the page too.
    if (Option.isNone(yield* JobSource.host))
      yield* ensureRunning.up({ database: Option.none(), listen: Option.none(), node: {}, port: {}, json })
    const id = yield* Effect.transposeMapOption(job, find)
    yield* openPage.open({ id: Option.getOrUndefined(id), json, print })
  })

const find = (job: string) =>
  Effect.gen(function* () {
    const jobs = yield* JobSource.read
    const id = yield* JobRef.find(jobs, job)
    yield* jobs.get(id)
    return id
  })
