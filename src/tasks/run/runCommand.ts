/**
 * The commands of a job: agents, gates, setups. Each runs in a worktree of the job's, and leaves a log.
 */
import { type Array, Duration, Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as plainText from "../../internal/plainText.js"
import { Git } from "../../git/Git.js"
import * as SharedClone from "../../git/SharedClone.js"
import * as UserRefs from "../../git/UserRefs.js"
import type { Repository } from "../../git/Repository.js"
import type { Worktree } from "../../git/Worktrees.js"
import { $match, type ProcessOutcome } from "../../process/ProcessOutcome.js"
import { ProcessRunner, type RunOptions } from "../../process/ProcessRunner.js"
import type { Log } from "../TaskEvents.js"
import type { RunContext } from "./RunContext.js"
import { CommandFailed } from "./errors.js"

/** Where it runs. */
interface Place {
  readonly worktree: Worktree
}

export interface CommandResult {
  /** Why it did not pass; missing when it did. */
  readonly reason: string | undefined
  /** The end of what it printed. */
  readonly tail: string
  readonly log: typeof Log.Encoded
  /** What it did to refs of the user's. */
  readonly moved: ReadonlyArray<Moved>
}

/** In words. */
export interface Moved {
  readonly what: string
  /** What became of it, or is to be done about it. */
  readonly advice: string
}

export interface Command extends Pick<RunOptions, "stdin" | "inherit" | "limits"> {
  readonly command: Array.NonEmptyReadonlyArray<string>
  /** For people, such as `gate of task 3 of unit api`. */
  readonly purpose: string
  /** The file for what it prints. */
  readonly log: string
}

/** Tools that change the repository's configuration when they are installed, and are asked not to. */
const env = { HUSKY: "0" }

/** A fork bomb must not fill an event. */
const maxNamed = 100

export const run = (
  { context, repository, tell }: RunContext,
  { worktree }: Place,
  { log, ...command }: Command
): Effect.Effect<CommandResult, StoreError, ProcessRunner | Git> =>
  Effect.gen(function* () {
    const git = yield* Git
    const runner = yield* ProcessRunner
    const trace = `${log}.git`
    const before = yield* Effect.option(git.userRefs(repository))
    const { outcome, output } = yield* runner.run({
      ...command,
      jobId: context.id,
      attempt: context.attempt,
      cwd: worktree.path,
      env: { ...env, ...UserRefs.traced(trace) },
      output: log,
      grace: () => context.grace,
      graceOver: context.graceOver,
      onForced: (killed) =>
        Effect.zipRight(
          context.killed(killed),
          tell("orch.killed", {
            purpose: command.purpose,
            processes: killed.slice(0, maxNamed),
            total: killed.length
          })
        )
    })
    // Where the clone is gone or broken, that is found by what is done next.
    const inClone = yield* Effect.orElseSucceed(git.putBack(repository, worktree), () => [])
    const moves = yield* Effect.orElseSucceed(
      Effect.flatMap(before, (refs) => git.movedUserRefs(repository, refs, trace)),
      () => []
    )
    const moved = [...inItsClone(inClone), ...inRepository(repository, moves)]
    return {
      reason: reason(outcome) ?? (moved.length === 0 ? undefined : moved.map(({ what }) => what).join("; ")),
      moved,
      tail: output.tail,
      log: { file: log, from: 0, to: output.size }
    }
  })

const inItsClone = (moves: ReadonlyArray<SharedClone.Move>): ReadonlyArray<Moved> =>
  moves.length === 0
    ? []
    : [
        {
          what: plainText.line(SharedClone.describe(moves)),
          advice: "in its own copy of the repository, where that was put back"
        }
      ]

/** These are not put back: the user may have moved the ref too, and only he knows. */
const inRepository = (repository: Repository, moves: ReadonlyArray<SharedClone.Move>): ReadonlyArray<Moved> => {
  if (moves.length === 0) return []
  const commands = moves.slice(0, 5).flatMap((move) => Option.toArray(UserRefs.undoCommand(repository, move)))
  const undo = commands.length === 0 ? "" : `; if that was not you, undo it with: ${commands.join(" && ")}`
  return [
    {
      what: plainText.line(`${SharedClone.describe(moves)} in ${repository.topLevel}`),
      advice: `one of its git commands worked in that repository${undo}`
    }
  ]
}

/** Runs a command line that the plan has fixed. */
export const line = (
  job: RunContext,
  place: Place,
  { line, log, purpose }: { readonly line: string; readonly purpose: string; readonly log: string }
) => run(job, place, { command: ["sh", "-c", line], purpose, log, inherit: job.gateEnv })

/** The same for one without which the work cannot go on. */
export const mustPass = (job: RunContext, place: Place, options: Parameters<typeof line>[2]) =>
  Effect.flatMap(line(job, place, options), ({ log, reason }) =>
    reason === undefined
      ? Effect.void
      : new CommandFailed({ purpose: options.purpose, command: options.line, reason, log: log.file })
  )

const reason = (outcome: ProcessOutcome): string | undefined =>
  $match(outcome, {
    Exited: ({ code }) => (code === 0 ? undefined : `exited with code ${code}`),
    Signalled: ({ signal }) => `was ended by ${signal}`,
    TimedOut: ({ limit }) => `ran longer than ${Duration.format(limit)}`,
    SilentTooLong: ({ limit }) => `printed nothing for ${Duration.format(limit)}`,
    CouldNotStart: ({ message }) => `could not start: ${message}`
  })
