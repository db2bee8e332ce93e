/**
 * The id of a job: a ULID, so that ids sort by creation time.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * A ULID: 26 characters of Crockford's base 32, in upper case.
 *
 * @since 0.1.0
 * @category models
 * @example
 * import { JobId } from "charlotte"
 * import { Schema } from "effect"
 *
 * Schema.decodeSync(JobId.JobId)("01ARZ3NDEKTSV4RRFFQ69G5FAV")
 */
export const JobId = Schema.String.pipe(
  Schema.pattern(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, {
    identifier: "JobId",
    message: () => "expected a job id: 26 characters such as 01ARZ3NDEKTSV4RRFFQ69G5FAV"
  }),
  Schema.brand("charlotte/JobId")
)

/**
 * The id of a job.
 *
 * @since 0.1.0
 * @category models
 */
export type JobId = typeof JobId.Type

/**
 * Makes a `JobId` from a string; throws if it is not a valid id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = JobId.make
