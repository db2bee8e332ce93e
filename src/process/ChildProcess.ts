/**
 * Starts a child process in a new session and process group.
 */
import { type Array, Deferred, Effect, FiberId, Option } from "effect"
import { spawn } from "node:child_process"
import { markedCommand } from "./markedCommand.js"
import { CouldNotStart, Exited, type ProcessOutcome, Signalled } from "./ProcessOutcome.js"
import type { ProcessTable } from "./ProcessTable.js"
import type { Leader } from "./ProcessTree.js"
import { startFailure } from "./startFailure.js"
import type { StandardStreams } from "./StandardStreams.js"
import * as Umask from "./Umask.js"

export interface ChildProcess {
  readonly leader: Leader
  /** Completes when the process has ended, even if it has left descendants behind. */
  readonly ended: Deferred.Deferred<ProcessOutcome>
}

export interface StartOptions {
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly cookie: string
  /** The directory of its control group. */
  readonly cgroup: string | undefined
  readonly cwd: string
  readonly env: Record<string, string>
  readonly streams: StandardStreams
  readonly table: Option.Option<ProcessTable>
}

export const start = (options: StartOptions): Effect.Effect<ChildProcess, ProcessOutcome> =>
  Effect.async((resume) => {
    const {
      cwd,
      env,
      streams: { input, output },
      table
    } = options
    // Without a process table, marks could not be read.
    const [file, ...args] = Option.isSome(table) ? markedCommand(options) : options.command
    const fail = (cause: unknown) =>
      resume(Effect.fail(CouldNotStart(startFailure({ file: options.command[0], cwd }, cause))))
    try {
      const ended = Deferred.unsafeMake<ProcessOutcome>(FiberId.none)
      const child = Umask.withInherited(() =>
        spawn(file, args, { cwd, env, detached: true, stdio: [input, output, output] })
      )
      child.once("error", fail)
      child.once("exit", (code, signal) =>
        Deferred.unsafeDone(
          ended,
          Effect.succeed(code === null ? Signalled({ signal: signal ?? "unknown" }) : Exited({ code }))
        )
      )
      const { pid } = child
      if (pid === undefined) return
      // Read at once: even a process that has already ended is still in the table.
      const startTime = Option.getOrUndefined(table)?.get(pid)?.startTime
      resume(Effect.succeed({ leader: { pid, startTime, isChild: true }, ended }))
    } catch (cause) {
      fail(cause)
    }
  })
