/**
 * The commands of a job: agents, gates, setups. Each runs in the job's worktree, and leaves a log.
 */
import { Duration, Effect } from "effect"
import type { StoreError } from "../../domain/errors.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import { $match, type Outcome } from "../process/Outcome.js"
import { ProcessRunner } from "../ProcessRunner.js"

export interface Ran {
  /** Why it did not pass; missing when it did. */
  readonly reason: string | undefined
  /** The end of what it printed. */
  readonly tail: string
  readonly log: string
  /** How many bytes it printed. */
  readonly bytes: number
}

/** Runs a shell command, or a shell script in a file. */
export const run = (
  job: JobContext<unknown>,
  options: {
    readonly purpose: string
    readonly shell: { readonly command: string } | { readonly script: string }
    readonly cwd: string
    readonly log: string
  }
): Effect.Effect<Ran, StoreError, ProcessRunner> =>
  Effect.gen(function* () {
    const runner = yield* ProcessRunner
    const { cwd, log, purpose, shell } = options
    const { outcome, output } = yield* runner.run({
      jobId: job.id,
      attempt: job.attempt,
      purpose,
      command: "command" in shell ? ["sh", "-c", shell.command] : ["sh", "-e", shell.script],
      cwd,
      output: log,
      grace: () => job.grace,
      onForced: job.forced
    })
    return { reason: reason(outcome), tail: output.tail, log, bytes: output.bytes }
  })

const reason = (outcome: Outcome): string | undefined =>
  $match(outcome, {
    Exited: ({ code }) => (code === 0 ? undefined : `exited with code ${code}`),
    Signalled: ({ signal }) => `was ended by ${signal}`,
    TimedOut: ({ limit }) => `ran longer than ${Duration.format(limit)}`,
    SilentTooLong: ({ limit }) => `printed nothing for ${Duration.format(limit)}`,
    CouldNotStart: ({ message }) => `could not start: ${message}`
  })
