/**
 * The configuration of a job of the task orchestrator.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { JobId } from "./JobId.js"

const text = Schema.NonEmptyString.annotations({ message: () => "must not be empty" }).pipe(
  Schema.filter((s) => !s.includes("\0") || "must not contain a NUL character")
)

/** Assigning a property of this name sets the object's prototype instead. */
const labelName = Schema.String.pipe(Schema.pattern(/^(?!__proto__$)/, { title: "a name other than __proto__" }))

/**
 * What lands: all units together or nothing (`auto`), the units that are done even if others have failed (`done`), all units
 * together once a person has approved them (`ask`), or nothing (`never`). With `pull-request`, all units together are proposed as a
 * pull request instead.
 *
 * @since 0.2.0
 * @category models
 */
export const Landing = Schema.Literal("auto", "done", "ask", "pull-request", "never").annotations({
  message: () => ({ message: "must be auto, done, ask, pull-request or never", override: true })
})

/**
 * What lands.
 *
 * @since 0.2.0
 * @category models
 */
export type Landing = typeof Landing.Type

/**
 * What happens to a unit that conflicts with the units merged before it: one turn of its agent resolves that (`agent`), or it fails
 * (`fail`).
 *
 * @since 0.2.0
 * @category models
 */
export const Conflicts = Schema.Literal("agent", "fail").annotations({
  message: () => ({ message: "must be agent or fail", override: true })
})

/**
 * What happens to a unit that conflicts with the units merged before it.
 *
 * @since 0.2.0
 * @category models
 */
export type Conflicts = typeof Conflicts.Type

/**
 * The configuration of a job of the task orchestrator, decoded, with defaults filled in. `JobManager.start` takes its encoded form, a
 * plain object, and reports every invalid field as `InvalidJobConfig`.
 *
 * @since 0.1.0
 * @category models
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
    /** The directory that holds the units and tasks; absolute, or relative to the repository. */
    tasksDir: text,
    /** The branch on which the result lands. */
    targetBranch: text,
    /** How many units run in parallel. */
    concurrency: Schema.optionalWith(
      Schema.Int.pipe(Schema.positive()).annotations({ message: () => "must be a whole number, 1 or more" }),
      { default: () => 4 }
    ),
    /** Whether only to validate and show the plan, without changes. */
    dryRun: Schema.optionalWith(Schema.Boolean, { default: () => false }),
    /** What lands on the target branch. `true` leaves this to `charlotte.yaml` and the configuration; `false` means `never`. */
    land: Schema.optionalWith(
      Schema.Union(Schema.Boolean, Landing).annotations({
        message: () => ({ message: "must be true, false, auto, done, ask, pull-request or never", override: true })
      }),
      { default: () => true }
    ),
    /** What happens to a unit that conflicts with the units merged before it; as `charlotte.yaml` says, or `fail`. */
    conflicts: Schema.optional(Conflicts),
    /** The name of the agent profile that runs the tasks. */
    agent: Schema.optional(text),
    /** A failed or cancelled job to retry: tasks that it completed are not run again. */
    retryOf: Schema.optional(JobId),
    /** An ended job whose work this one lands: the units that are done, verified together, without any agent. */
    landOf: Schema.optional(JobId),
    /**
     * Only these units are worked on, and all that they depend on, as if the plan had no others. With `retryOf`, only these are worked
     * on, and the units that depend on them; others stay as the job before has left them. With `landOf`, only these land, and all that
     * they depend on.
     */
    units: Schema.optional(Schema.NonEmptyArray(text)),
    /**
     * Whether a retry begins its units that were not merged, or those in `units`, at its base; what they have done stays until it is
     * pruned.
     */
    fresh: Schema.optional(Schema.Boolean),
    /** Free-form labels, by which jobs can be filtered. */
    labels: Schema.optional(Schema.Record({ key: labelName, value: Schema.String }))
  },
  [undefined, undefined, { title: "an object" }]
) {}
