/**
 * Spawns a child process: opens the file for its output and its standard streams, starts it, and copies its output into the
 * file.
 */
import { type Array, Context, Effect, Exit, type Option } from "effect"
import { randomUUID } from "node:crypto"
import { mkdir } from "node:fs/promises"
import { dirname } from "node:path"
import * as ChildProcess from "./ChildProcess.js"
import { CouldNotStart, type ProcessOutcome } from "./ProcessOutcome.js"
import * as Output from "./Output.js"
import * as OutputFile from "./OutputFile.js"
import type { ProcessTable } from "./ProcessTable.js"
import * as StandardStreams from "./StandardStreams.js"

export interface LaunchOptions {
  readonly cookie: string
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly cwd: string
  readonly env: Record<string, string>
  readonly stdin: string | undefined
  /** The file for its output, and how many bytes it may have. */
  readonly file: string
  readonly limit: number
  readonly table: Option.Option<ProcessTable>
  /** The directory of the control group for it. */
  readonly cgroup: string | undefined
}

export interface Launched extends ChildProcess.ChildProcess {
  readonly output: Output.Output
}

export interface Launch {
  /** A mark that no other process has. */
  readonly cookie: Effect.Effect<string>
  /** When it fails, nothing runs and nothing is left. */
  readonly start: (options: LaunchOptions) => Effect.Effect<Launched, ProcessOutcome>
  /** Removes what a start that was cut off by a crash has left. */
  readonly clear: (cookie: string) => Effect.Effect<void>
}

/** How processes are started; the simulation, in which none of this is real, replaces it. */
export class LaunchRef extends Context.Reference<LaunchRef>()("charlotte/Launch", {
  defaultValue: (): Launch => ({
    cookie: Effect.sync(() => randomUUID()),
    start,
    clear: StandardStreams.clear
  })
}) {}

// No scopes here: on this version of Effect, an interruption that comes while one closes can be lost.
const start = (options: LaunchOptions): Effect.Effect<Launched, ProcessOutcome> =>
  Effect.acquireUseRelease(
    openFile(options),
    (file) =>
      Effect.acquireUseRelease(
        StandardStreams.open({ ...options, path: options.env["PATH"] }),
        (streams) =>
          Effect.gen(function* () {
            const child = yield* ChildProcess.start({ ...options, streams })
            const output = yield* Output.drain(streams.reader, file)
            return { ...child, output }
          }),
        (streams, exit) => StandardStreams.close(streams, Exit.isFailure(exit))
      ),
    (file, exit) => (Exit.isFailure(exit) ? Effect.promise(() => file.finish({ tail: 0 })) : Effect.void)
  )

const openFile = ({ file, limit }: LaunchOptions): Effect.Effect<OutputFile.OutputFile, ProcessOutcome> =>
  Effect.tryPromise({
    try: () =>
      // Its directory usually exists.
      OutputFile.make(file, limit).catch(async () => {
        await mkdir(dirname(file), { recursive: true })
        return OutputFile.make(file, limit)
      }),
    catch: (cause) =>
      CouldNotStart({
        reason: "output",
        message: `the file for its output could not be made: ${cause instanceof Error ? cause.message : String(cause)}`
      })
  })
