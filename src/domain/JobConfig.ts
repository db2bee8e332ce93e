/**
 * What a job of the task orchestrator is asked to do.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"

const text = Schema.NonEmptyString.annotations({ message: () => "must not be empty" }).pipe(
  Schema.filter((s) => !s.includes("\0") || "must not contain a NUL character")
)

/** An object that gets a property of this name gets another prototype instead. */
const labelName = Schema.String.pipe(Schema.pattern(/^(?!__proto__$)/, { title: "a name other than __proto__" }))

/**
 * @since 0.1.0
 * @example
 * import { JobConfig } from "charlotte"
 * import { Schema } from "effect"
 *
 * const config = Schema.decodeSync(JobConfig.JobConfig)({
 *   repoPath: "/home/me/project",
 *   tasksDir: "tasks",
 *   targetBranch: "main"
 * })
 *
 * assert.equal(config.concurrency, 4)
 */
export class JobConfig extends Schema.Class<JobConfig>("charlotte/JobConfig")(
  {
    /** The git repository to work in; an absolute path. */
    repoPath: text.pipe(Schema.filter((s) => s.startsWith("/") || "must be an absolute path")),
    /** The directory of units and tasks; absolute, or relative to the repository. */
    tasksDir: text,
    /** The branch that the result is landed on. */
    targetBranch: text,
    /** How many units are worked on in parallel. */
    concurrency: Schema.optionalWith(
      Schema.Int.pipe(Schema.positive()).annotations({ message: () => "must be a whole number, 1 or more" }),
      { default: () => 4 }
    ),
    /** Only check and show the plan; touch nothing. */
    dryRun: Schema.optionalWith(Schema.Boolean, { default: () => false }),
    /** Advance the target branch to the result when all units are done. */
    land: Schema.optionalWith(Schema.Boolean, { default: () => true }),
    /** The name of the agent profile that works on the tasks. */
    agent: Schema.optional(text),
    /** A job that has failed or was cancelled: what it has done is not done again. */
    retryOf: Schema.optional(JobId),
    /** Free words to find the job again by. */
    labels: Schema.optional(Schema.Record({ key: labelName, value: Schema.String }))
  },
  [undefined, undefined, { title: "an object" }]
) {}
