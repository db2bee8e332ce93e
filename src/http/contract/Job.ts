/**
 * Jobs, as in responses.
 */
import { Schema } from "effect"
import { Cost } from "../../domain/Cost.js"
import { JobId } from "../../domain/JobId.js"
import { RecordedChild } from "../../domain/RecordedChild.js"
import { RecordedStep } from "../../domain/RecordedStep.js"
import { Question } from "../../domain/Question.js"
import { PausedKind, Progress, Run } from "../../domain/Run.js"
import { RunStatus } from "../../domain/RunStatus.js"
import { TaskRecord, TaskState, UnitRecord, UnitState } from "../../domain/Work.js"

/** Missing when the job is not active. */
const phase = Schema.optional(Schema.Literal("running", "stopping"))

/**
 * A key of a job that has not ended, and its holder: this job, or the job that it waits for.
 *
 * @since 0.2.0
 * @category models
 */
export class JobKey extends Schema.Class<JobKey>("charlotte/JobKey")({
  key: Schema.String,
  /** `start`: an option of the start, or derived by the kind from its configuration; `check`: determined by the check of the job. */
  origin: Schema.Literal("start", "check"),
  holder: JobId,
  holderStatus: RunStatus
}) {}

/** A unit waits for the answer of a person. */
const asked = Schema.Literal("needs-answer")

const resting = Schema.Literal("waiting", "interrupted")

/**
 * A unit of a job. Its state is `needs-answer` while a question of its agent is open; `waiting` or `interrupted` if it has started and
 * not ended, but the job is not running.
 *
 * @since 0.2.0
 * @category models
 */
export class JobUnit extends Schema.Class<JobUnit>("charlotte/JobUnit")({
  ...UnitRecord.fields,
  state: Schema.Union(UnitState, asked, resting)
}) {}

/**
 * A task of a job. Its state is `waiting` if its job is parked or a question of its agent is open, and `interrupted` as for a unit.
 *
 * @since 0.2.0
 * @category models
 */
export class JobTask extends Schema.Class<JobTask>("charlotte/JobTask")({
  ...TaskRecord.fields,
  state: Schema.Union(TaskState, resting)
}) {}

const count = Schema.optional(Schema.NonNegativeInt)

/**
 * How far a job is, as it has reported itself; or how many of its tasks are done, with the number of tasks in each state.
 *
 * @since 0.2.0
 * @category models
 */
export class JobProgress extends Progress.extend<JobProgress>("charlotte/JobProgress")({
  pending: count,
  running: count,
  waiting: count,
  interrupted: count,
  completed: count,
  failed: count,
  skipped: count
}) {}

/**
 * A job with its units and tasks.
 *
 * @since 0.1.0
 * @category models
 */
export class Job extends Run.extend<Job>("charlotte/Job")({
  phase,
  /** Missing when the job has ended. */
  keys: Schema.optional(Schema.Array(JobKey)),
  /** In the order of the plan. */
  units: Schema.Array(JobUnit),
  tasks: Schema.Array(JobTask),
  /** The sum of its tasks; missing if no agent has reported what its turns cost. */
  cost: Schema.optional(Cost),
  /** The sum over the job, the jobs that it retries and the jobs that retry it; missing if there are none. */
  retriesCost: Schema.optional(Cost),
  /** Missing if there is none. */
  landedAs: Schema.optional(JobId),
  /** Missing if there are none. */
  questions: Schema.optional(Schema.Array(Question)),
  /** The newest 100, in order, with the steps of the jobs that it retries; missing if there are none. */
  steps: Schema.optional(Schema.Array(RecordedStep)),
  /** The newest 100, in order, with the children of the jobs that it retries; missing if there are none. */
  children: Schema.optional(Schema.Array(RecordedChild))
}) {}

/**
 * A step with its value, without known secrets.
 *
 * @since 0.2.0
 * @category models
 */
export class JobStep extends RecordedStep.extend<JobStep>("charlotte/JobStep")({
  /** Its success or its failure, as JSON; missing if that is `undefined`. */
  value: Schema.optional(Schema.Unknown)
}) {}

/**
 * A job in a list: its record and its progress.
 *
 * @since 0.1.0
 * @category models
 */
export class ListedJob extends Schema.Class<ListedJob>("charlotte/ListedJob")({
  ...Run.fields,
  phase,
  /** Missing when the job has no tasks, and has reported nothing. */
  progress: Schema.optional(JobProgress),
  cost: Schema.optional(Cost),
  /** The names of its first units. */
  unitNames: Schema.optional(Schema.Array(Schema.String)),
  /** The open questions; missing if there are none. */
  questions: Schema.optional(Schema.Array(Question))
}) {}

/**
 * A page of jobs, newest first.
 *
 * @since 0.1.0
 * @category models
 */
export class JobPage extends Schema.Class<JobPage>("charlotte/JobPage")({
  jobs: Schema.Array(ListedJob),
  /** The value of `before` for the next page; missing on the last page. */
  next: Schema.optional(JobId)
}) {}

/**
 * The response to a submission.
 *
 * @since 0.1.0
 * @category models
 */
export class Submitted extends Schema.Class<Submitted>("charlotte/Submitted")({ id: JobId }) {}

/**
 * How far a request to retry many jobs has come.
 *
 * @since 0.2.0
 * @category models
 */
export class RetriedJobs extends Schema.Class<RetriedJobs>("charlotte/RetriedJobs")({
  retried: Schema.NonNegativeInt,
  refused: Schema.NonNegativeInt,
  /** Why the first of them was refused. */
  problem: Schema.optional(Schema.String),
  /** The value of `before` for the next request; missing if nothing is left. */
  last: Schema.optional(JobId)
}) {}

/**
 * How far a request to remove many jobs has come.
 *
 * @since 0.2.0
 * @category models
 */
export class RemovedJobs extends Schema.Class<RemovedJobs>("charlotte/RemovedJobs")({
  /** How many of the jobs that match are removed; the jobs that they retry are not counted. */
  removed: Schema.NonNegativeInt,
  refused: Schema.NonNegativeInt,
  /** Why the first of them was refused. */
  problem: Schema.optional(Schema.String),
  /** The value of `before` for the next request; missing if nothing is left. */
  last: Schema.optional(JobId)
}) {}

/**
 * The jobs of a kind that were pruned, or would be in a dry run.
 *
 * @since 0.2.0
 * @category models
 */
export class PrunedJobs extends Schema.Class<PrunedJobs>("charlotte/PrunedJobs")({
  kind: Schema.String,
  /** How many jobs. */
  runs: Schema.Int,
  /** The first 1,000 of them. */
  jobs: Schema.Array(JobId)
}) {}

/**
 * The number of jobs of a kind in each status: of ended ones, at most 1,000.
 *
 * @since 0.2.0
 * @category models
 */
export class StatusCounts extends Schema.Class<StatusCounts>("charlotte/StatusCounts")({
  pending: Schema.NonNegativeInt,
  running: Schema.NonNegativeInt,
  interrupted: Schema.NonNegativeInt,
  parked: Schema.NonNegativeInt,
  completed: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  cancelled: Schema.NonNegativeInt
}) {}

/**
 * A kind of job of this server.
 *
 * @since 0.2.0
 * @category models
 */
export class ServedKind extends Schema.Class<ServedKind>("charlotte/ServedKind")({
  kind: Schema.String,
  active: Schema.NonNegativeInt,
  pending: Schema.NonNegativeInt,
  /** How many jobs run at once. */
  maxJobs: Schema.Int,
  counts: StatusCounts,
  /** Since when no job begins, and who has asked for that; missing if the kind is not paused. */
  paused: Schema.optional(Schema.Struct(PausedKind.fields).omit("kind"))
}) {}

/**
 * The file with the output of an agent, a gate or a setup.
 *
 * @since 0.2.0
 * @category models
 */
export class JobLog extends Schema.Class<JobLog>("charlotte/JobLog")({
  /** Its path in the directory of logs of its machine. */
  file: Schema.String,
  /** In bytes. */
  size: Schema.Int,
  /** When it was last written to. */
  at: Schema.DateTimeUtc,
  /** The machine that has the complete log, if it cannot be reached; only the end of the log is available then. */
  host: Schema.optional(Schema.String)
}) {}
