/**
 * Starts a job inside a transaction of the application: the run is one row of that transaction, and begins after the commit.
 * No permit is taken, and `check` is called when the run begins.
 */
import { Effect } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { request } from "../../domain/StartOptions.js"
import { now } from "../../internal/now.js"
import * as Tracing from "../../internal/Tracing.js"
import type { Outbox } from "../../store/port/RunStoreService.js"
import type { Core } from "./Core.js"
import { traceOf } from "./jobSpan.js"
import type { Refusal } from "./startJob.js"
import { newRun, type Starting, submit, type Submitted } from "./submission.js"

const unchecked = { key: undefined, submission: undefined, title: undefined }

export const startInTransaction = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  outbox: Outbox,
  { input, options }: Submitted
): Effect.Effect<JobId, Refusal> =>
  Effect.gen(function* () {
    yield* core.shutdown.refuse
    const at = yield* now
    const requested = yield* request(options, { at, hasKey: starting.key !== undefined })
    const { whenKeyTaken } = requested
    if (whenKeyTaken === "attach" || whenKeyTaken === "replace") {
      const message = `cannot be ${whenKeyTaken} inside a transaction; use refuse or queue, or start the job outside`
      return yield* new InvalidJobConfig({ issues: [{ path: ["whenKeyTaken"], message }] })
    }
    const submission = yield* submit(starting, input, { id: starting.nextId(at.epochMillis), at, requested, options })
    const trace = traceOf(yield* Tracing.caller)
    const run = newRun(core, starting, submission, { ...unchecked, trace })
    return yield* Effect.uninterruptible(Effect.tap(outbox.insert(run), starting.inserted.wake))
  }).pipe(Tracing.traced("JobManager.start"))
