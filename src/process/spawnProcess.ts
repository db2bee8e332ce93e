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
  /** The output file, and its maximum size in bytes. */
  readonly file: string
  readonly limit: number
  readonly table: Option.Option<ProcessTable>
  /** The directory of its control group. */
  readonly cgroup: string | undefined
}

export interface Launched extends ChildProcess.ChildProcess {
  readonly output: Output.Output
}

export interface Launch {
  /** A mark that no other process has. */
  readonly cookie: Effect.Effect<string>
  /** On failure, nothing runs and nothing is left. */
  readonly start: (options: LaunchOptions) => Effect.Effect<Launched, ProcessOutcome>
  /** Removes what an interrupted start has left after a crash. */
  readonly clear: (cookie: string) => Effect.Effect<void>
}

/** How processes are started; replaced in the simulation, which has no real processes. */
export class LaunchRef extends Context.Reference<LaunchRef>()("charlotte/Launch", {
  defaultValue: (): Launch => ({
    cookie: Effect.sync(() => randomUUID()),
    start,
    clear: StandardStreams.clear
  })
}) {}

// No scopes here: in this version of Effect, an interruption during the closing of a scope can be lost.
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
