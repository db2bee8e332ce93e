/**
 * Runs the command of a notice: with the notice on standard input, an environment and a process group of its own, and a time limit.
 */
import { createHash } from "node:crypto"
import { Context, Data, Duration, Effect } from "effect"
import { JobId } from "../../domain/JobId.js"
import type { StoreError } from "../../domain/errors.js"
import { line } from "../../internal/plainText.js"
import { KernelRef } from "../../internal/ProcessIdentity.js"
import * as ProcessRunner from "../../process/ProcessRunner.js"
import { LaunchRef } from "../../process/spawnProcess.js"
import type { ChildProcessStore } from "../../store/port/RunStoreService.js"
import { reasonOf } from "../../tasks/run/runCommand.js"
import type { NotifySettings } from "../config/NotifySettings.js"
import { Home } from "../home/Home.js"
import type { Notice } from "./Notice.js"

/** The command did not run, or not to a good end. */
export class NoticeFailed extends Data.TaggedError("NoticeFailed")<{ readonly message: string }> {}

export interface NoticeCommand {
  readonly send: (notice: Notice) => Effect.Effect<void, NoticeFailed | StoreError>
}

/** For a process that is not of a job. */
export const noJob = JobId.make("00000000000000000000000000")

const limits = { total: "60 seconds", output: 1024 * 1024, tail: 2_000 } as const

const grace = Duration.seconds(1)

/** How much of the end of the output says why it failed. */
const maxSaid = 300

/**
 * The records of the only process of a name: since its cookie is always the same, nothing has to be written down to find what a crash
 * has left of it. The records of jobs hold only what their attempts run.
 */
const recordsOf = (cookie: string, bootId: string): ChildProcessStore => ({
  spansMachines: false,
  open: () => Effect.void,
  spawned: () => Effect.void,
  close: () => Effect.void,
  logs: () => Effect.succeed([]),
  unclosed: (jobId) =>
    Effect.succeed([
      {
        cookie,
        jobId,
        attempt: 1,
        bootId,
        machine: undefined,
        purpose: "notice",
        pid: undefined,
        startTime: undefined
      }
    ]),
  leftBy: () => Effect.succeed([])
})

/** First kills what a crash has left; `use` tells apart who may send at the same time. */
export const make = (
  { env, name, run }: NotifySettings,
  use: "notices" | "test"
): Effect.Effect<NoticeCommand, StoreError, Home> =>
  Effect.gen(function* () {
    const { directory, logs } = yield* Home
    const { self } = yield* KernelRef
    const launch = yield* LaunchRef
    const cookie = createHash("sha256").update(`${directory}\0${use}\0${name}`).digest("hex").slice(0, 32)
    const runner = yield* Effect.provideService(ProcessRunner.make(recordsOf(cookie, self.bootId)), LaunchRef, {
      ...launch,
      cookie: Effect.succeed(cookie)
    })
    yield* runner.recover(noJob)
    return {
      send: (notice) =>
        Effect.gen(function* () {
          const { outcome, output } = yield* runner.run({
            jobId: noJob,
            attempt: 1,
            purpose: `notice to ${name}`,
            command: run,
            cwd: directory,
            inherit: env,
            stdin: `${JSON.stringify(notice)}\n`,
            output: `${logs}/notices/${name}${use === "test" ? ".test" : ""}.log`,
            limits,
            grace: () => grace
          })
          const reason = reasonOf(outcome)
          if (reason === undefined) return
          const said = line(output.tail).slice(-maxSaid)
          return yield* new NoticeFailed({ message: `${run[0]} ${reason}${said === "" ? "" : `: ${said}`}` })
        })
    }
  })

/** How the commands of notices are run; replaced in tests, whose time passes faster than that of processes. */
export class NoticeCommands extends Context.Reference<NoticeCommands>()("charlotte/NoticeCommands", {
  defaultValue: () => make
}) {}
