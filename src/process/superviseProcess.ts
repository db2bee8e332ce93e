/**
 * Supervises one child process, from its record to its end.
 */
import { type Array, Deferred, Duration, Effect, Either, Exit, Option, Runtime } from "effect"
import { now } from "../internal/now.js"
import { childVariables } from "../internal/Tracing.js"
import type { StoreError } from "../domain/errors.js"
import type { JobId } from "../domain/JobId.js"
import type { KilledProcess } from "../domain/StopReport.js"
import type { ChildProcessStore } from "../store/port/RunStoreService.js"
import { retryWrite } from "../store/rules/retryWrite.js"
import type * as Failpoint from "../internal/Failpoint.js"
import type { Cgroup } from "./Cgroup.js"
import * as ChildEnvironment from "./ChildEnvironment.js"
import type { Launch } from "./spawnProcess.js"
import { type Slow, within } from "./processLimits.js"
import { $is, type ProcessOutcome } from "./ProcessOutcome.js"
import type { Entry, ProcessTable } from "./ProcessTable.js"
import type { Written } from "./OutputFile.js"
import * as ProcessTree from "./ProcessTree.js"
import { terminate } from "./terminate.js"
import type * as TreeGuard from "./TreeGuard.js"

/**
 * A command, its environment, and where its output goes.
 *
 * @since 0.1.0
 * @category options
 */
export interface RunOptions {
  readonly jobId: JobId
  readonly attempt: number
  /** A label for reports, such as `agent` or `gate`. */
  readonly purpose: string
  readonly command: Array.NonEmptyReadonlyArray<string>
  readonly cwd: string
  /**
   * Variables besides the few that every process gets; names that begin with `CHARLOTTE_` are dropped. Inside a traced span,
   * `TRACEPARENT` is one of the few.
   */
  readonly env?: { readonly [name: string]: string } | undefined
  /** Names of variables to inherit; names that begin with `CHARLOTTE_` or `GIT_` are dropped. */
  readonly inherit?: ReadonlyArray<string> | undefined
  readonly stdin?: string | undefined
  /** The file for standard output and error. Its directory is created; an existing file is replaced. */
  readonly output: string
  readonly limits?: Limits | undefined
  /** The grace period, read when it begins. */
  readonly grace: () => Duration.Duration
  /** Completes when the grace period ends; a later stop can shorten it. */
  readonly graceOver?: Effect.Effect<void> | undefined
  /** Called at 80 % of a limit: once for the time limit, and once in each silence for the limit without output. */
  readonly onSlow?: ((slow: Slow) => Effect.Effect<void>) | undefined
  /** Called with the killed processes if an interruption had to kill any. */
  readonly onForced?: ((killed: ReadonlyArray<KilledProcess>) => Effect.Effect<void>) | undefined
}

/**
 * Limits on a child process and its output.
 *
 * @since 0.1.0
 * @category options
 */
export interface Limits {
  /** Time limit; none by default. */
  readonly total?: Duration.DurationInput | undefined
  /** Time limit without output; none by default. */
  readonly silence?: Duration.DurationInput | undefined
  /** Maximum size of the output file in bytes; 64 MiB by default. */
  readonly output?: number | undefined
  /** Size of `tail` in the result in bytes; 16 KiB by default. */
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
  /** Whether the process or one of its descendants had to be killed. */
  readonly forced: boolean
  /** The processes that were killed. */
  readonly killed: ReadonlyArray<KilledProcess>
  readonly output: {
    /** Bytes printed. */
    readonly bytes: number
    /** Bytes not kept. */
    readonly omitted: number
    /** Size of the file in bytes, with the line that marks omitted output. */
    readonly size: number
    /** The end of the output. */
    readonly tail: string
    /** Why output was lost, other than for its size; for example a full disk. */
    readonly problem: string | undefined
  }
}

const outputLimit = 64 * 1024 * 1024

const tailSize = 16 * 1024

/** How long processes that are left behind may take to end by themselves, such as a `tee` at the end of a script. */
const settle = Duration.millis(200)

export const make = (runner: {
  readonly attempts: ChildProcessStore
  readonly failpoint: Failpoint.Service
  readonly launch: Launch
  readonly table: Option.Option<ProcessTable>
  readonly around: ChildEnvironment.Variables
  readonly guard: TreeGuard.Service
  readonly bootId: string
  /** Missing if the records are of one machine. */
  readonly machine: string | undefined
  readonly isHurried: () => boolean
}): ((options: RunOptions) => Effect.Effect<ProcessResult, StoreError>) => {
  const { around, attempts, bootId, failpoint, guard, isHurried, launch, machine, table } = runner

  const start = (
    cookie: string,
    cgroup: Cgroup | undefined,
    trace: Effect.Effect.Success<typeof childVariables>,
    { command, cwd, env, inherit, limits, output, stdin }: RunOptions
  ) =>
    launch.start({
      cookie,
      command,
      cwd,
      env: ChildEnvironment.make({ around, cookie, inherit, env: { ...trace, ...env } }),
      stdin,
      file: output,
      limit: limits?.output ?? outputLimit,
      table,
      cgroup: cgroup?.directory
    })

  const supervise = (
    cookie: string,
    options: RunOptions,
    restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ) =>
    Effect.gen(function* () {
      const { attempt, grace, graceOver, jobId, limits = {}, onForced = () => Effect.void, onSlow, purpose } = options
      const log = machine === undefined ? undefined : options.output
      // Not awaited, so that it shares a commit with later writes: after a crash, recovery closes the record.
      const runtime = yield* Effect.runtime()
      const close = (tail: string | undefined) =>
        Effect.flatMap(now, (at) => retryWrite(attempts.close({ cookie, at, tail }))).pipe(
          Effect.catchAll(({ message }) => Effect.logWarning(`the end of a process is not recorded: ${message}`)),
          (closing) => Effect.sync(() => void Runtime.runFork(runtime)(closing))
        )

      const opening = attempts.open({ cookie, jobId, attempt, bootId, machine, purpose, log, at: yield* now })
      yield* Effect.onInterrupt(restore(retryWrite(opening)), () => close(undefined))

      const cgroup = Option.getOrUndefined(table)?.cgroups?.make(cookie)
      const trace = yield* childVariables
      const started = yield* Effect.either(
        failpoint.around(() => [`spawn ${purpose}`], start(cookie, cgroup, trace, options))
      )
      if (Either.isLeft(started)) {
        cgroup?.remove()
        return yield* Effect.as(close(undefined), nothingRan(started.left))
      }
      const { ended, leader, output } = started.right
      yield* guard.spawned({ cookie, pid: leader.pid, startTime: leader.startTime })
      const tree = ProcessTree.make({ table, cookie, leader, cgroup })

      const end = (settle: Duration.Duration) =>
        Effect.suspend(() => terminate(tree, { settle, grace: grace(), graceOver, isHurried }))

      const untilEnd = Effect.gen(function* () {
        yield* retryWrite(attempts.spawned({ cookie, pid: leader.pid, startTime: leader.startTime?.toString() }))
        const outcome = yield* within(limits, {
          ended: Deferred.await(ended),
          printed: output.printed,
          isBehind: output.isBehind,
          isStopped: () => Option.exists(table, (table) => isStopped(table, leader)),
          onSlow
        })
        const endedByItself = $is("Exited")(outcome) || $is("Signalled")(outcome)
        yield* end(endedByItself ? settle : Duration.zero)
        return outcome
      })

      const exit = yield* Effect.exit(restore(untilEnd))
      if (Exit.isFailure(exit)) yield* end(Duration.zero)
      yield* Deferred.await(ended)
      cgroup?.remove()
      const killed = tree.killed().map(({ name, pid }) => ({ pid, command: name }))
      if (Exit.isInterrupted(exit) && killed.length > 0) {
        const names = killed.map(({ command, pid }) => `${command} (pid ${pid})`).join(", ")
        yield* Effect.annotateLogs(Effect.logInfo(`killed processes of ${purpose}: ${names}`), { jobId })
        yield* onForced(killed)
      }
      const written = yield* output.finish({ tail: limits.tail ?? tailSize })
      yield* close(machine === undefined ? undefined : lastOf(written))
      return yield* Exit.map(exit, (outcome) => ({ outcome, forced: killed.length > 0, killed, output: written }))
    })

  return (options) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const cookie = yield* launch.cookie
        yield* restore(guard.watch(cookie))
        return yield* Effect.ensuring(supervise(cookie, options, restore), guard.release(cookie))
      })
    )
}

/**
 * Whether a child process cannot run: it is stopped, or it sleeps and none of its children can run, like a script that waits for a
 * stopped agent.
 */
const isStopped = (table: ProcessTable, { pid }: ProcessTree.Leader): boolean => {
  const child = table.get(pid)
  if (child === undefined || child.isDead || child.isRunning) return false
  if (child.isStopped) return true
  const alive = table.pids().flatMap((pid) => {
    const entry = table.get(pid)
    return entry !== undefined && entry.session === child.session && !entry.isDead ? [entry] : []
  })
  const waits = (entry: Entry): boolean => {
    if (entry.isStopped || entry.isRunning) return entry.isStopped
    const children = alive.filter(({ parent }) => parent === entry.pid)
    return children.length > 0 && children.every(waits)
  }
  return waits(child)
}

/** The recorded end of the output, from the start of a line: a secret that is cut in two would not be redacted. */
const lastOf = ({ size, tail }: Written): string => {
  const bytes = Buffer.from(tail)
  if (Math.max(size, bytes.length) <= tailSize) return tail
  const last = bytes.subarray(-tailSize).toString("utf8")
  const line = last.indexOf("\n") + 1
  return line === last.length ? last : last.slice(line)
}

const nothingRan = (outcome: ProcessOutcome): ProcessResult => ({
  outcome,
  forced: false,
  killed: [],
  output: { bytes: 0, omitted: 0, size: 0, tail: "", problem: undefined }
})
