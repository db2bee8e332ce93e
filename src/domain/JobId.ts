/**
 * The name of a job: a ULID, so that names sort by the time at which they were given.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * A ULID of 26 characters of Crockford's base 32, upper case.
 *
 * @since 0.1.0
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

/** @since 0.1.0 */
export type JobId = typeof JobId.Type

/** Makes a `JobId` of a string known to be one; throws on any other. */
export const make = JobId.make
