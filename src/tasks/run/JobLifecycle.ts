/**
 * What the lifecycle events of a job show about its earlier attempts.
 */
import { DateTime, Duration, Option, Schema } from "effect"
import type { JobEvent } from "../../domain/JobEvent.js"
import { Approval } from "../../domain/Run.js"

const isByPerson = Schema.is(Schema.Struct({ by: Schema.Literal("resume") }))

/** Whether a person started the current attempt by resuming the job. */
export const isResumed = (lifecycle: ReadonlyArray<JobEvent>): boolean =>
  isByPerson(lifecycle.findLast(({ type }) => type === "job.resumed")?.payload)

/** How long the job was parked, in all of its attempts. */
export const parkedFor = (lifecycle: ReadonlyArray<JobEvent>): Duration.Duration =>
  lifecycle.reduce((sum, { at, type }, index) => {
    const next = lifecycle[index + 1]
    return type === "job.parked" && next !== undefined
      ? Duration.sum(sum, Duration.millis(DateTime.distance(at, next.at)))
      : sum
  }, Duration.zero)

const decodeApproval = Schema.decodeUnknownOption(Schema.Struct({ approval: Approval }))

/** The result that a person was last asked to approve. */
export const approval = (lifecycle: ReadonlyArray<JobEvent>): Approval | undefined =>
  lifecycle
    .flatMap(({ payload, type }) => (type === "job.parked" ? Option.toArray(decodeApproval(payload)) : []))
    .at(-1)?.approval
