/**
 * Runs the commands of a job (agents, gates, setup) in one of its worktrees, each with a log file.
 */
import { Array, Duration, Effect, Option } from "effect"
import type { StoreError } from "../../domain/errors.js"
import * as plainText from "../../internal/plainText.js"
import * as Tracing from "../../internal/Tracing.js"
import { Git } from "../../git/Git.js"
import * as SharedClone from "../../git/SharedClone.js"
import * as UserRefs from "../../git/UserRefs.js"
import type { Repository } from "../../git/Repository.js"
import type { Worktree } from "../../git/Worktrees.js"
import { $match, type ProcessOutcome } from "../../process/ProcessOutcome.js"
import { ProcessRunner, type RunOptions, type Slow } from "../../process/ProcessRunner.js"
import type { Log } from "../events.js"
import type { Task } from "../plan/Plan.js"
import { ownDirectories } from "./ownDirectories.js"
import type { RunContext } from "./RunContext.js"
import { CommandFailed } from "./errors.js"

export interface CommandResult {
  /** Why the command failed; `undefined` if it succeeded. */
  readonly reason: string | undefined
  readonly outcome: ProcessOutcome
  /** The end of the output. */
  readonly tail: string
  readonly log: typeof Log.Encoded
  /** The user's refs that the command moved, in its clone or in the repository. */
  readonly moved: ReadonlyArray<Moved>
}

/** A description of moved refs, for the user. */
export interface Moved {
  readonly what: string
  /** What was done about it, or what the user can do. */
  readonly advice: string
}

export interface Command extends Pick<RunOptions, "stdin" | "inherit" | "limits" | "onSlow"> {
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly span: Tracing.Command
  /** A description, such as `gate of task 3 of unit api`. */
  readonly purpose: string
  /** The output file. */
  readonly log: string
  /** The setting of the time limit. */
  readonly limitedBy?: string
}

/** Keeps tools installed by a setup from changing the git configuration of the repository. */
const env = { HUSKY: "0" }

/** Limits the size of the event, for example after a fork bomb. */
const maxNamed = 100

export const run = (
  ctx: RunContext,
  worktree: Worktree,
  { limitedBy, log, span, ...command }: Command
): Effect.Effect<CommandResult, StoreError, ProcessRunner | Git> =>
  Effect.gen(function* () {
    const { emit, job, repository } = ctx
    const git = yield* Git
    const runner = yield* ProcessRunner
    const trace = `${log}.git`
    const before = yield* Effect.option(git.userRefs(repository))
    yield* ownDirectories(ctx, log)
    const { outcome, output } = yield* runner.run({
      ...command,
      jobId: job.id,
      attempt: job.attempt,
      cwd: worktree.path,
      env: { ...env, ...UserRefs.traced(trace) },
      output: log,
      grace: () => job.grace,
      graceOver: job.graceOver,
      onForced: (killed) =>
        Effect.zipRight(
          job.killed(killed),
          emit("orch.killed", {
            purpose: command.purpose,
            processes: killed.slice(0, maxNamed),
            total: killed.length
          })
        )
    })
    // If the clone is missing or broken, the next git operation fails.
    const inClone = yield* Effect.orElseSucceed(git.putBack(repository, worktree), () => [])
    const moves = yield* Effect.orElseSucceed(
      Effect.flatMap(before, (refs) => git.movedUserRefs(repository, refs, trace)),
      () => []
    )
    const moved = [...inItsClone(inClone), ...inRepository(repository, moves)]
    return {
      reason:
        reasonOf(outcome, limitedBy) ?? (moved.length === 0 ? undefined : moved.map(({ what }) => what).join("; ")),
      outcome,
      moved,
      tail: output.tail,
      log: { file: log, from: 0, to: output.size }
    }
  }).pipe(Tracing.tracedResult(span, ({ reason }) => reason, { attributes: { "charlotte.log": log } }))

const inItsClone = (moves: ReadonlyArray<SharedClone.Move>): ReadonlyArray<Moved> =>
  moves.length === 0
    ? []
    : [
        {
          what: plainText.line(SharedClone.describe(moves)),
          advice: "in its own clone of the repository, where they were reset"
        }
      ]

/** These refs are not reset, since the user may have moved them. */
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

/** Runs a shell command of the plan; for at most a time, if that is shorter than the limit of all gates. */
export const line = (
  ctx: RunContext,
  worktree: Worktree,
  {
    atMost,
    line,
    task,
    ...command
  }: Pick<Command, "span" | "purpose" | "log"> & {
    readonly line: string
    /** The task of a gate. */
    readonly task?: Task
    readonly atMost?: { readonly limit: Duration.Duration; readonly by: string }
  }
) => {
  const all = { limit: ctx.gates.timeout, by: "gates.timeout in config.yaml" }
  const { by, limit } = atMost !== undefined && Duration.lessThan(atMost.limit, all.limit) ? atMost : all
  return run(ctx, worktree, {
    ...command,
    command: Array.appendAll(ctx.wrapOf(task), ["sh", "-c", line] as const),
    inherit: ctx.gates.env,
    limits: { total: limit },
    limitedBy: by
  })
}

/** Runs a shell command of the plan, and fails if it fails. */
export const mustPass = (ctx: RunContext, worktree: Worktree, options: Parameters<typeof line>[2]) =>
  Effect.flatMap(line(ctx, worktree, options), (result) =>
    result.reason === undefined
      ? Effect.void
      : new CommandFailed({
          purpose: options.purpose,
          command: options.line,
          reason: reasonWithOutput(result),
          log: result.log.file
        })
  )

/** Output lines in an error message, and the characters of each. */
const maxLines = 3
const maxLine = 200

/** Records of agents are for programs; what they say is shown in other words. */
const isRecord = (line: string): boolean => line.startsWith('{"type":')

/** Why a command failed, with the last lines that it printed, such as `exited with code 1: invalid API key`. */
export const reasonWithOutput = ({
  log: { to: size },
  moved,
  reason = "",
  tail
}: Pick<CommandResult, "log" | "moved" | "reason" | "tail">): string => {
  const printed = tail.split("\n")
  // The first line may be the end of a record.
  const whole = Buffer.byteLength(tail) < size ? printed.slice(1) : printed
  const end = whole
    .filter((line) => !isRecord(line))
    .map((line) => plainText.line(line))
    .filter((line) => line !== "")
    .slice(-maxLines)
    .map((line) => (line.length > maxLine ? `${line.slice(0, maxLine)}…` : line))
    .join(" / ")
  return moved.length > 0 || end === "" ? reason : `${reason}: ${end}`
}

/** Formats a slow command as in `printed nothing for 16m, and is ended after 20m`. */
export const slowReason = ({ after, limit, of }: Slow): string =>
  `${limit === "total" ? "has been running for" : "printed nothing for"} ${Duration.format(after)}, and is ended after ${Duration.format(of)}`

/** Why a process failed; `undefined` if it succeeded. */
export const reasonOf = (outcome: ProcessOutcome, limitedBy?: string): string | undefined =>
  $match(outcome, {
    Exited: ({ code }) => (code === 0 ? undefined : `exited with code ${code}`),
    Signalled: ({ signal }) => `was killed by ${signal}`,
    TimedOut: ({ limit }) =>
      `ran longer than ${Duration.format(limit)}${limitedBy === undefined ? "" : `, the limit ${limitedBy}`}`,
    SilentTooLong: ({ limit }) => `printed nothing for ${Duration.format(limit)}`,
    CouldNotStart: ({ message }) => `could not start: ${message}`
  })
