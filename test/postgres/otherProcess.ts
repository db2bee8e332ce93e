/**
 * A manager of `steps` in another process, which has started a job that ticks.
 */
import { JobId } from "charlotte"
import { Effect, Schema, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { inject } from "vitest"

export interface OtherProcess {
  readonly pid: number
  /** The job that it works on. */
  readonly id: JobId.JobId
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly kill: Effect.Effect<void>
  /** The status that it says its job has, when it has let go of it. */
  readonly status: Effect.Effect<string>
}

const kill = (child: ChildProcess) =>
  Effect.promise(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, "exit")
    child.kill("SIGKILL")
    await exit
  })

export const make = (url: string): Effect.Effect<OtherProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [inject("programs").manager, url], { stdio: ["ignore", "pipe", "inherit"] })
      ),
      kill
    )
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const line = Effect.promise(async () => {
      const { done, value } = await lines.next()
      return done === true ? "" : value
    })
    return {
      pid: child.pid ?? 0,
      id: Schema.decodeSync(JobId.JobId)(yield* line),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      kill: kill(child),
      status: line
    }
  })
