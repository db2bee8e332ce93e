/**
 * The state shared by all parts of one attempt at a job.
 */
import type { Duration, Effect } from "effect"
import type { SpendingLimits } from "../../domain/Cost.js"
import type { JobConfig } from "../../domain/JobConfig.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Permits } from "../../internal/Permits.js"
import type { Agents } from "../Agents.js"
import type { OwnBranch, RepoPath } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import type { Task } from "../plan/Plan.js"
import type { JobAgents } from "./TaskAgents.js"
import type { TaskProgress } from "./TaskProgress.js"
import type { PlanSnapshot } from "./PlanSnapshot.js"
import type { EmitTaskEvent } from "./emitTaskEvent.js"
import type { UnitBlocked } from "./errors.js"
import type { Questions } from "./Questions.js"
import type { WorkingTime } from "./WorkingTime.js"

export interface RunContext {
  readonly job: JobContext<JobConfig>
  readonly snapshot: PlanSnapshot
  readonly repository: Repository
  /** The branch into which the units are merged. */
  readonly result: OwnBranch
  readonly taskAgents: JobAgents
  /** Releases the permit of the unit while an effect waits. */
  readonly lendPermit: Permits
  /** Fails once a unit that the unit depends on is in no result: then no further turn begins. */
  readonly mayGoOn: Effect.Effect<void, UnitBlocked>
  /** Plan files and the settings file, even if it does not exist: tasks cannot change them. */
  readonly keep: ReadonlyArray<RepoPath>
  /**
   * What begins the command lines of gates, setup, baseline and `sh` blocks: the wrap of an agent of the task, or else of the first
   * agent of the job that has one, since its work is what they run.
   */
  readonly wrapOf: (task?: Task) => ReadonlyArray<string>
  /** The environment variables that setup, gate and baseline commands inherit, and their time limit. */
  readonly gates: Agents["Type"]["gates"]
  /** Absolute paths of this job's directories. */
  readonly directories: { readonly worktrees: string; readonly logs: string; readonly unfinished: string }
  readonly progress: TaskProgress
  readonly questions: Questions
  /** How long the job was parked in its earlier attempts. */
  readonly parkedFor: Duration.Duration
  readonly working: WorkingTime
  /** How much the job may spend; `step` keeps a turn from beginning while another is counted. */
  readonly spending: { readonly limits: SpendingLimits; readonly step: Permits }
  readonly emit: EmitTaskEvent
  /** Redacts a text for agents. */
  readonly hide: (text: string) => string
}
