/**
 * Takes over the runs of a manager that has died.
 */
import { Cause, type DateTime, Effect, Exit, Option, Schema } from "effect"
import { StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Lifecycle } from "../../domain/JobEvent.js"
import type { Run, RunError } from "../../domain/Run.js"
import type { RunStatus } from "../../domain/RunStatus.js"
import * as race from "../../internal/race.js"
import type { Change, Service as Store, UnfinishedRun } from "../../store/port/RunStoreService.js"
import { recoveryError } from "./JobOutcome.js"

interface Recovery {
  readonly kind: string
  readonly store: Store
  /** Whether a run that is being stopped continues with its stop, rather than being cancelled. */
  readonly continuesStop?: boolean
  /** Removes the child processes that a job has left, up to this attempt. */
  readonly recover: (id: JobId, attempt: number) => Effect.Effect<void, unknown>
}

/** After this many crashes in a row, without an event of the orchestrator in between or during the same command, a job is not continued. */
const crashLimit = 3

const pageSize = 200
const concurrency = 32

/** Reads the runs of a kind with a status, oldest first, page by page. */
export const forEachPage = <E>(
  { kind, store }: Pick<Recovery, "kind" | "store">,
  status: RunStatus,
  use: (page: ReadonlyArray<UnfinishedRun>) => Effect.Effect<void, E>
): Effect.Effect<void, E | StoreError> =>
  Effect.gen(function* () {
    for (let after: { readonly after?: JobId } = {}; ;) {
      const page = yield* store.unfinished({ kind, status, limit: pageSize, ...after })
      const last = page.at(-1)
      if (last === undefined) return
      yield* use(page)
      after = { after: last.run.id }
    }
  })

/**
 * Every run of the kind that is recorded as running belongs to a dead manager. Each becomes `interrupted`, or ends if it
 * cannot be continued. Interrupted runs are not read: start-up does not depend on their number.
 */
export const takeOver = (recovery: Recovery): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    yield* forEachPage(recovery, "running", (page) =>
      race.forEach(page, concurrency, (unfinished) => takeOverRun(recovery, unfinished))
    )
    yield* clearLeft(recovery)
  })

/**
 * Removes the child processes of attempts that have ended: their end could not be recorded, or, in a cluster, a manager on another
 * machine has continued the job.
 */
export const clearLeft = (recovery: Recovery): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const { kind, store } = recovery
    for (const id of yield* store.childProcesses.leftBy(kind)) {
      const run = Option.getOrUndefined(yield* store.get(id))
      if (run === undefined) continue
      const cleared = yield* clear(recovery, id, run.status === "running" ? run.attempt - 1 : run.attempt)
      if (Exit.isFailure(cleared)) {
        yield* Effect.annotateLogs(
          Effect.logWarning(`processes that job ${id} may have left running could not be removed`, cleared.cause),
          { jobId: id }
        )
      }
    }
  })

export const takeOverRun = (
  recovery: Recovery,
  { crashes, run, stopping }: UnfinishedRun
): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const { continuesStop = false } = recovery
    const during = yield* commandsOf(recovery.store, run)
    const cleared = yield* clear(recovery, run.id, run.attempt)
    if (Exit.isFailure(cleared)) {
      const error = recoveryError("what the crash left of it could not be removed", cleared.cause)
      return yield* record(recovery.store, run, { type: "job.failed", error })
    }
    if (stopping && !continuesStop) return yield* record(recovery.store, run, { type: "job.cancelled" })
    yield* record(recovery.store, run, { type: "job.interrupted", crashed: true, during, continuesStop })
    const error = yield* tooManyCrashes(recovery.store, { run, crashes: crashes + 1 })
    if (error !== undefined) yield* record(recovery.store, run, { type: "job.failed", error })
  })

/** The commands of a job that were running when its manager died. */
const commandsOf = ({ childProcesses }: Store, { attempt, id }: Run) =>
  Effect.map(childProcesses.unclosed(id), (processes) => [
    ...new Set(processes.filter((process) => process.attempt === attempt).map(({ purpose }) => purpose))
  ])

/**
 * Why a run that has crashed too often is not continued: its crashes came without an event in between, or during the same command,
 * which may have killed the manager.
 */
export const tooManyCrashes = (
  store: Store,
  { crashes, run }: Pick<UnfinishedRun, "run" | "crashes">
): Effect.Effect<RunError | undefined, StoreError> =>
  Effect.gen(function* () {
    if (crashes >= crashLimit)
      return recoveryError(`it crashed ${crashLimit} times in a row, without an event of the orchestrator between`)
    // The count is 0 after an attempt that did not crash.
    if (crashes === 0 || run.attempt < crashLimit) return undefined
    const ends = (yield* store.lifecycle(run.id)).filter(({ type }) => !notEnds.has(type)).slice(-crashLimit)
    const [latest = [], ...earlier] = ends.map(({ payload }) => commandsAtCrash(payload)).reverse()
    const command = latest.find((command) => earlier.every((commands) => commands.includes(command)))
    return ends.length < crashLimit || command === undefined
      ? undefined
      : recoveryError(`its manager died ${crashLimit} times in a row during the same command, ${command}`)
  })

const notEnds: ReadonlySet<string> = new Set<Lifecycle>([
  "job.queued",
  "job.started",
  "job.resumed",
  "job.stopping",
  "job.timeout"
])

/** The commands that were running, from the payload of `job.interrupted`; none if its manager did not crash. */
const commandsAtCrash = (payload: unknown): ReadonlyArray<string> =>
  Option.match(Schema.decodeUnknownOption(Crash)(payload), { onNone: () => [], onSome: ({ during }) => during })

const Crash = Schema.Struct({ reason: Schema.Literal("crash"), during: Schema.Array(Schema.String) })

/** Records a change. Only the owner of a kind writes for it, so a write is refused only if the ownership was lost. */
export const record = (
  store: Store,
  { attempt, id: jobId }: UnfinishedRun["run"],
  change: Pick<Change, "type" | "continuesStop" | "crashed" | "during" | "error">
): Effect.Effect<void, StoreError> =>
  Effect.flatMap(store.now, (at: DateTime.Utc) => store.record({ ...change, jobId, attempt, at })).pipe(
    Effect.catchTag("Superseded", (error) => Effect.logWarning(error.message)),
    Effect.annotateLogs({ jobId })
  )

const clear = (
  { recover }: Recovery,
  id: JobId,
  attempt: number
): Effect.Effect<Exit.Exit<void, unknown>, StoreError> =>
  Effect.flatMap(Effect.exit(recover(id, attempt)), (cleared) => {
    // If the store fails, processes may still be running: the next manager removes them.
    const failure = Exit.isFailure(cleared) ? Cause.failureOption(cleared.cause) : Option.none()
    return Option.isSome(failure) && failure.value instanceof StoreError ? failure.value : Effect.succeed(cleared)
  })
