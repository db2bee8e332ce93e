/**
 * Resumes a job, perhaps with other limits of what it may spend: for the server and for commands that run without one.
 */
import { Effect, Option } from "effect"
import type { SpendingLimits } from "../../domain/Cost.js"
import { JobNotFound, NotResumable, type ResumeError, type SignalError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { limitsSignal } from "../../domain/Run.js"
import type { ResumeOptions, SignalOptions } from "../../manager/JobManager.js"
import type { Reads } from "../../store/Runs.js"

export interface Options extends SpendingLimits {
  /** Who resumes it; recorded as claimed, not verified. */
  readonly by?: string | undefined
}

interface Manager {
  readonly resume: (id: JobId, options: ResumeOptions) => Effect.Effect<void, ResumeError>
  readonly signal: (name: string, payload: SpendingLimits, options: SignalOptions) => Effect.Effect<void, SignalError>
}

export const resumeJob = (
  store: Pick<Reads, "get">,
  { resume, signal }: Manager,
  jobId: JobId,
  { by, tokens, usd }: Options
): Effect.Effect<void, ResumeError> =>
  Effect.gen(function* () {
    if (usd !== undefined || tokens !== undefined) {
      const run = yield* store.get(jobId)
      if (Option.isNone(run)) return yield* new JobNotFound({ jobId })
      const { status } = run.value
      if (status !== "parked" && status !== "interrupted") return yield* new NotResumable({ jobId, status })
      const limits = { ...(usd !== undefined && { usd }), ...(tokens !== undefined && { tokens }) }
      yield* signal(limitsSignal, limits, { by, isReserved: true }).pipe(
        Effect.catchTags({
          // A producer sends none of Charlotte's own signals; it cannot resume the job either, and says why.
          InvalidSignal: () => Effect.void,
          JobEnded: ({ status }) => new NotResumable({ jobId, status }),
          TooManySignals: ({ message }) => new NotResumable({ jobId, status, reason: message })
        })
      )
    }
    yield* resume(jobId, { by })
  })
