/**
 * Changes when a waiting run begins.
 */
import { Effect, Option } from "effect"
import { InvalidJobConfig, type RescheduleError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import * as Sender from "../../domain/Sender.js"
import { request } from "../../domain/StartOptions.js"
import { traced } from "../../internal/Tracing.js"
import type { RescheduleOptions } from "../JobManagerService.js"
import type { Core } from "./Core.js"

const nothing = new InvalidJobConfig({ issues: [{ path: [], message: "a priority or a start time is needed" }] })

export const rescheduleJob = <Config>(
  core: Core<Config>,
  jobId: JobId,
  { by, priority, startAt: time }: RescheduleOptions
): Effect.Effect<void, RescheduleError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    if (priority === undefined && time === undefined) return yield* nothing
    const at = yield* core.store.now
    const { startAt } = yield* request({ priority, startAt: time === "now" ? at : time }, { at, hasKey: false })
    yield* core.store.reschedule({
      kind: core.kind,
      jobId,
      priority,
      startAt: time === undefined ? undefined : Option.fromNullable(startAt),
      sender: yield* Sender.current(by),
      at
    })
  }).pipe(traced("JobManager.reschedule"))
