/**
 * Begins an attempt of a waiting run: the first of a pending run, the next of an interrupted or parked run.
 */
import { Cause, Deferred, Effect, Option } from "effect"
import {
  type BeginError,
  type InvalidJobConfig,
  KindPaused,
  type MaxJobsReached,
  NotResumable,
  type StoreError,
  type Superseded
} from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { isReady, Run, RunTrace } from "../../domain/Run.js"
import type { Sender } from "../../domain/Sender.js"
import type { Beginning } from "../../store/port/RunStoreService.js"
import { parse } from "../../internal/Json.js"
import * as Tracing from "../../internal/Tracing.js"
import type { Admission, Undecodable } from "./admission.js"
import type { Core } from "./Core.js"
import { Elsewhere, launch } from "./jobLife.js"
import { recoveryError } from "./JobOutcome.js"
import * as JobRegistry from "./JobRegistry.js"

/** Fails unless the run can be resumed now. */
export const mayResume = (run: Run): Effect.Effect<void, KindPaused | NotResumable> => {
  switch (run.status) {
    case "parked":
      return Effect.void
    case "interrupted":
      // An interrupted run waits for its key only if an earlier version interrupted it.
      return run.waitsFor === "key" ? notResumable(run, "another job holds its key") : mayBegin(run)
    default:
      return notResumable(run)
  }
}

/** Begins the next attempt of an interrupted run that a caller resumes. */
export type Resume = (run: Run, sender: Sender | undefined) => Effect.Effect<void, BeginError>

/** Resumes a run: an interrupted run is passed to `beginInterrupted`; a parked run becomes due. */
export const resumeJob = <Config>(
  core: Core<Config>,
  id: JobId,
  sender: Sender | undefined,
  beginInterrupted: Resume
): Effect.Effect<void, BeginError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    yield* core.shutdown.refuse
    if (Option.isSome(yield* JobRegistry.find(core.jobs, id))) {
      return yield* new NotResumable({ jobId: id, status: "running" })
    }
    const run = yield* core.recordOf(id)
    yield* mayResume(run)
    if (run.status === "interrupted") return yield* beginInterrupted(run, sender)
    // A superseded run has just begun, or was cancelled.
    yield* Effect.catchTag(core.store.wake(id, "resume", sender), "Superseded", () =>
      resumeJob(core, id, sender, beginInterrupted)
    )
  }).pipe(Tracing.traced("JobManager.resume"))

/** The error if another call is continuing or cancelling the run, or has just done so. */
export const superseded = <Config>(core: Core<Config>, id: JobId) => Effect.flatMap(core.recordOf(id), notResumable)

export const notResumable = ({ id: jobId, status }: Run, reason?: string) => new NotResumable({ jobId, status, reason })

/** Fails unless the run waits for a permit, or for its group: the transaction that begins it decides whether the group has room. */
export const mayBegin = (run: Run): Effect.Effect<void, KindPaused | NotResumable> => {
  if (run.waitsFor === "paused") return new KindPaused({ kind: run.kind })
  return isReady(run.waitsFor) ? Effect.void : notResumable(run)
}

/** Begins the next attempt of a run that waits for a permit. */
export const beginRun = <Config>(
  core: Core<Config>,
  admission: Admission<Config>,
  run: Run,
  options: Pick<Beginning, "isResumed" | "sender"> = {}
): Effect.Effect<void, BeginError> =>
  Effect.gen(function* () {
    yield* core.shutdown.refuse
    yield* mayBegin(run)
    const { id } = run
    const prepare = Effect.map(checkRun(core, admission, run), ({ beginning, config, submission }) => {
      const { at, attempt } = beginning
      const commit = (trace: RunTrace | undefined) =>
        Effect.flatMap(core.store.begin({ ...beginning, trace, ...options }), (begun) =>
          begun === "waits"
            ? new Elsewhere({ id })
            : Effect.succeed({ run: begunRun(run, { attempt, startedAt: at }), isStop: begun === "stopping" })
        )
      return { config, submission, attempt, trace: traceBefore(run), commit }
    })

    const caller = yield* Tracing.caller
    yield* Effect.catchTags(
      launch<Config, NotResumable | KindPaused | MaxJobsReached | Superseded | StoreError | Elsewhere>(core, {
        id,
        waited: run.status,
        prepare,
        caller
      }),
      {
        // Another call is continuing or cancelling the run, or has just done so; or the run is due again before its last attempt has left
        // the registry.
        AlreadyActive: () =>
          Effect.gen(function* () {
            const active = yield* JobRegistry.find(core.jobs, id)
            const { waitsFor } = yield* core.recordOf(id)
            // Without this wait the loop would spin, and starve the timers and I/O that it waits for.
            if (isReady(waitsFor) && Option.isSome(active)) yield* Deferred.await(active.value.job.ended)
            yield* Effect.flatMap(core.recordOf(id), (run) => beginRun(core, admission, run, options))
          }),
        Superseded: () => superseded(core, id),
        // The run waits behind another job, which holds the key that the check returned.
        Elsewhere: () => Effect.void
      }
    )
  })

/** Checks the configuration of a run, and returns what its next attempt begins with. */
export const checkRun = <Config>(core: Core<Config>, admission: Admission<Config>, run: Run) =>
  Effect.gen(function* () {
    const { id: jobId } = run
    const recorded = Option.getOrUndefined(yield* core.store.submission(jobId))
    const checked = yield* Effect.catchAllCause(admission.recorded(run.config, recorded), (cause) =>
      endUnresumable(core, admission, run, cause)
    )
    const { config, key } = checked
    // A run that a transaction inserted is checked for the first time here.
    const found = run.status === "pending" && recorded === undefined ? checked.submission : undefined
    const submission = found === undefined ? recorded : parse(found)
    const attempt = run.status === "pending" ? run.attempt : run.attempt + 1
    const beginning = { jobId, attempt, key, submission: found, at: yield* core.store.now }
    return { config, submission, beginning }
  })

/** A pending run has no spans in its trace yet, even if its start had already made one. */
const traceBefore = ({ status, trace }: Run): RunTrace | undefined =>
  status === "pending" && trace !== undefined
    ? new RunTrace({ startedBy: trace.startedBy }, { disableValidation: true })
    : trace

const begunRun = ({ parked: _, waitsFor: __, ...run }: Run, begun: Required<Pick<Run, "attempt" | "startedAt">>): Run =>
  new Run({ ...run, ...begun, status: "running" }, { disableValidation: true })

/**
 * Fails a run whose configuration no longer decodes, or whose check refuses it or dies. In a cluster, a run that does not decode is left
 * to nodes of another version of the kind.
 */
export const endUnresumable = <Config>(
  core: Core<Config>,
  admission: Pick<Admission<Config>, "problem">,
  run: Run,
  cause: Cause.Cause<InvalidJobConfig | Undecodable>
): Effect.Effect<never, NotResumable | Superseded | StoreError> =>
  Effect.gen(function* () {
    if (Cause.isInterruptedOnly(cause)) return yield* Effect.interrupt
    const { attempt, id: jobId } = run
    const failure = Cause.failureOption(cause)
    const reason = Option.match(failure, { onNone: () => "its check has died", onSome: ({ message }) => message })
    if (Option.isSome(core.others) && Option.exists(failure, ({ _tag }) => _tag === "Undecodable")) {
      yield* core.others.value.refuse(run, reason, admission.problem)
      return yield* new NotResumable({ jobId, status: run.status, reason })
    }
    const at = yield* core.store.now
    const error = recoveryError(reason, Cause.isDie(cause) ? cause : Cause.empty)
    yield* core.store.record({ type: "job.failed", jobId, attempt, at, error, ofWaiting: run.waitsFor !== undefined })
    return yield* new NotResumable({ jobId, status: "failed", reason })
  })
