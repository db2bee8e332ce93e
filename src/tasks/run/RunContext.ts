/**
 * What all parts of one attempt at a job share.
 */
import type { JobConfig } from "../../domain/JobConfig.js"
import type { JobContext } from "../../manager/Orchestrator.js"
import type { Agent } from "../agents/Agent.js"
import type { OwnBranch, RepoPath } from "../../git/RefNames.js"
import type { Repository } from "../../git/Repository.js"
import type { TaskProgress } from "./TaskProgress.js"
import type { PlanSnapshot } from "./PlanSnapshot.js"
import type { EmitTaskEvent } from "./emitTaskEvent.js"

export interface RunContext {
  readonly context: JobContext<JobConfig>
  readonly submission: PlanSnapshot
  readonly repository: Repository
  /** The branch into which its units are merged. */
  readonly result: OwnBranch
  readonly agent: Agent
  /** The files of the plan, and that of its settings even where there is none: no task changes them. */
  readonly keep: ReadonlyArray<RepoPath>
  /** Variables of the environment that setup, gates and baseline get. */
  readonly gateEnv: ReadonlyArray<string>
  /** Absolute paths; for this job alone. */
  readonly directories: { readonly worktrees: string; readonly logs: string }
  readonly progress: TaskProgress
  readonly tell: EmitTaskEvent
  /** Takes out of a text what agents must not be told. */
  readonly hide: (text: string) => string
}
