/**
 * One child process from its record to its end.
 */
import { type Array, Deferred, Duration, Effect, Either, Exit, Option, Runtime } from "effect"
import { now } from "../internal/now.js"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { KilledProcess } from "../domain/StopReport.js"
import type { ChildProcessStore } from "../store/ChildProcessStore.js"
import type * as Failpoint from "../internal/Failpoint.js"
import type { Cgroup } from "./Cgroup.js"
import * as ChildEnvironment from "./ChildEnvironment.js"
import { isStopped } from "./isStopped.js"
import type { Launch } from "./spawnProcess.js"
import { within } from "./processLimits.js"
import { $is, type ProcessOutcome } from "./ProcessOutcome.js"
import type { ProcessTable } from "./ProcessTable.js"
import * as ProcessTree from "./ProcessTree.js"
import { terminate } from "./terminate.js"

/**
 * A command, its environment, and where its output goes.
 *
 * @since 0.1.0
 * @category options
 */
export interface RunOptions {
  readonly jobId: JobId
  readonly attempt: number
  /** For people, such as `agent` or `gate`. */
  readonly purpose: string
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly cwd: string
  /** Variables in addition to the few that every process gets; none that begin with `CHARLOTTE_`. */
  readonly env?: { readonly [name: string]: string } | undefined
  /** Names of variables that are passed on from outside; none that begin with `CHARLOTTE_` or `GIT_`. */
  readonly inherit?: ReadonlyArray<string> | undefined
  readonly stdin?: string | undefined
  /** The file for its standard output and error. Its directory is made; a file that is there is replaced. */
  readonly output: string
  readonly limits?: Limits | undefined
  /** The grace period, read when it begins. */
  readonly grace: () => Duration.Duration
  /** Completes when the grace is over, where that may come earlier: a later stop can shorten it. */
  readonly graceOver?: Effect.Effect<void> | undefined
  /** Run when an interruption had to kill, with what was killed. */
  readonly onForced?: ((killed: ReadonlyArray<KilledProcess>) => Effect.Effect<void>) | undefined
}

/**
 * Limits on a child process and its output.
 *
 * @since 0.1.0
 * @category options
 */
export interface Limits {
  /** How long it may run; for ever when left out. */
  readonly total?: Duration.DurationInput | undefined
  /** How long it may print nothing; for ever when left out. */
  readonly silence?: Duration.DurationInput | undefined
  /** How many bytes the file for its output may have; 64 MiB when left out. */
  readonly output?: number | undefined
  /** How many bytes of the end of its output the result holds; 16 KiB when left out. */
  readonly tail?: number | undefined
}

/**
 * How a child process ended, and its output.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProcessResult {
  readonly outcome: ProcessOutcome
  /** Whether something had to be killed: the process itself, or what it had left behind. */
  readonly forced: boolean
  /** What was killed. */
  readonly killed: ReadonlyArray<KilledProcess>
  readonly output: {
    /** How many bytes it printed. */
    readonly bytes: number
    /** How many of them were not kept. */
    readonly omitted: number
    /** How many bytes the file has: what was kept, and a line that says so where something was not. */
    readonly size: number
    /** The end of the output. */
    readonly tail: string
    /** Why output was lost, if not for its size; such as a full disk. */
    readonly problem: string | undefined
  }
}

const outputLimit = 64 * 1024 * 1024

const tailSize = 16 * 1024

/** What a process leaves behind may be about to end by itself, as a `tee` at the end of a script is. */
const settle = Duration.millis(200)

export const make = (runner: {
  readonly attempts: ChildProcessStore
  readonly failpoint: Failpoint.Service
  readonly launch: Launch
  readonly table: Option.Option<ProcessTable>
  readonly around: ChildEnvironment.Variables
  readonly bootId: string
  readonly isHurried: () => boolean
}): ((options: RunOptions) => Effect.Effect<ProcessResult, StoreError>) => {
  const { around, attempts, bootId, failpoint, isHurried, launch, table } = runner

  const start = (
    cookie: string,
    cgroup: Cgroup | undefined,
    { command, cwd, env, inherit, limits, output, stdin }: RunOptions
  ) =>
    launch.start({
      cookie,
      command,
      cwd,
      env: ChildEnvironment.make({ around, cookie, inherit, env }),
      stdin,
      file: output,
      limit: limits?.output ?? outputLimit,
      table,
      cgroup: cgroup?.directory
    })

  return Effect.fn("ProcessRunner.run")((options: RunOptions) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const { attempt, grace, graceOver, jobId, limits = {}, onForced = () => Effect.void, purpose } = options
        const cookie = yield* launch.cookie
        yield* attempts.open({ cookie, jobId, attempt, bootId, purpose, at: yield* now })
        // Nothing waits for that record, and it shares a commit with what comes next: a crash before it leaves something open that
        // is looked for, not found, and closed then.
        const runtime = yield* Effect.runtime()
        const close = Effect.flatMap(now, (at) => attempts.close({ cookie, at })).pipe(
          Effect.catchAll(({ message }) => Effect.logWarning(`the end of a process is not recorded: ${message}`)),
          (closing) => Effect.sync(() => void Runtime.runFork(runtime)(closing))
        )

        const cgroup = Option.getOrUndefined(table)?.cgroups?.make(cookie)
        const started = yield* Effect.either(
          failpoint.around(() => [`spawn ${purpose}`], start(cookie, cgroup, options))
        )
        if (Either.isLeft(started)) {
          cgroup?.remove()
          return yield* Effect.as(close, nothingRan(started.left))
        }
        const { ended, leader, output } = started.right
        const tree = ProcessTree.make({ table, cookie, leader, cgroup })

        const end = (settle: Duration.Duration) =>
          Effect.suspend(() => terminate(tree, { settle, grace: grace(), graceOver, isHurried }))

        const supervise = Effect.gen(function* () {
          yield* attempts.spawned({ cookie, pid: leader.pid, startTime: leader.startTime?.toString() })
          const outcome = yield* within(limits, {
            ended: Deferred.await(ended),
            printed: output.printed,
            isBehind: output.isBehind,
            isStopped: () => Option.exists(table, (table) => isStopped(table, leader))
          })
          const endedByItself = $is("Exited")(outcome) || $is("Signalled")(outcome)
          yield* end(endedByItself ? settle : Duration.zero)
          return outcome
        })

        const exit = yield* Effect.exit(restore(supervise))
        if (Exit.isFailure(exit)) yield* end(Duration.zero)
        yield* Deferred.await(ended)
        cgroup?.remove()
        const killed = tree.killed().map(({ name, pid }) => ({ pid, command: name }))
        if (Exit.isInterrupted(exit) && killed.length > 0) {
          const names = killed.map(({ command, pid }) => `${command} (pid ${pid})`).join(", ")
          yield* Effect.annotateLogs(Effect.logInfo(`killed of ${purpose}: ${names}`), { jobId })
          yield* onForced(killed)
        }
        const written = yield* output.finish({ tail: limits.tail ?? tailSize })
        yield* close
        return yield* Exit.map(exit, (outcome) => ({ outcome, forced: killed.length > 0, killed, output: written }))
      })
    )
  )
}

const nothingRan = (outcome: ProcessOutcome): ProcessResult => ({
  outcome,
  forced: false,
  killed: [],
  output: { bytes: 0, omitted: 0, size: 0, tail: "", problem: undefined }
})
