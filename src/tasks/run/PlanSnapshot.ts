/**
 * The plan and repository state at submission, stored with the job: later changes to the task files do not affect a running job.
 */
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { InvalidJobConfig } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import { Question } from "../../domain/Question.js"
import { TaskSession } from "../../domain/Work.js"
import { Fingerprint } from "../../git/Fingerprint.js"
import { AbsolutePath, BranchName, ObjectId, OwnBranch, UnitName } from "../../git/RefNames.js"
import { TaskNumber } from "../../yaml/fields.js"
import { AgentChoice } from "../plan/AgentChoice.js"
import { Plan, type Task } from "../plan/Plan.js"

/** The work that a retry takes over from the job that it retries. */
export class Taken extends Schema.Class<Taken>("charlotte/Taken")({
  from: Schema.optional(JobId),
  /** Units that were started and not merged, with the commits at which their branches continue. */
  begun: Schema.Record({ key: UnitName, value: ObjectId }),
  /** Tasks that were completed. */
  tasks: Schema.Array(Schema.Struct({ unit: UnitName, task: TaskNumber })),
  /** Worktrees of units with an unfinished task, and their branches. */
  worktrees: Schema.optionalWith(
    Schema.Record({ key: UnitName, value: Schema.Struct({ path: AbsolutePath, branch: OwnBranch }) }),
    { default: () => ({}) }
  ),
  /** Units that are not part of the retry, and the jobs that have their work. */
  leftOut: Schema.optionalWith(Schema.Array(Schema.Struct({ unit: UnitName, job: JobId })), { default: () => [] }),
  /** The sessions of unfinished tasks. A turn resumes one only if its worktree is the directory in which the session began. */
  sessions: Schema.optionalWith(
    Schema.Array(Schema.Struct({ unit: UnitName, task: TaskNumber, session: TaskSession })),
    { default: () => [] }
  ),
  /** The questions of unfinished tasks, and their answers. */
  questions: Schema.optionalWith(Schema.Array(Question), { default: () => [] })
}) {}

export class PlanSnapshot extends Schema.Class<PlanSnapshot>("charlotte/PlanSnapshot")({
  at: Schema.DateTimeUtc,
  /** The top level of the checkout with which the job was submitted. */
  topLevel: Schema.String,
  identity: Schema.String,
  fingerprint: Fingerprint,
  target: BranchName,
  /** The commit of the target at submission. */
  targetAt: ObjectId,
  /** The commit at which the work starts. */
  base: ObjectId,
  /** The agents of the plan, for people. */
  agent: Schema.String,
  plan: Plan,
  /** The units that were chosen at the first submission; a retry leaves out the same others. */
  only: Schema.optional(Schema.Array(Schema.String)),
  taken: Taken
}) {
  /** The agents for a task; a job that version 0.1.0 accepted has one for all. */
  agentsOf({ agents }: Task): ReadonlyArray<AgentChoice> {
    return agents.length === 0 ? [new AgentChoice({ agent: this.agent })] : agents
  }
}

/** A key has at most 256 bytes, and the name of a branch up to 240. */
const shortened = (branch: string): string =>
  Buffer.byteLength(branch) <= 128 ? branch : createHash("sha256").update(branch).digest("hex")

/** One active job per branch of a repository, regardless of the path by which it is opened. */
export const key = ({ identity, target, topLevel }: Pick<PlanSnapshot, "identity" | "target" | "topLevel">) => ({
  key: `branch ${shortened(target)} of repository ${identity}`,
  keyName: `branch ${target} of ${topLevel}`
})

const decodeUnknown = Schema.decodeUnknown(PlanSnapshot)

export const decode = (stored: unknown): Effect.Effect<PlanSnapshot, InvalidJobConfig> =>
  Effect.mapError(
    decodeUnknown(stored),
    ({ message }) => new InvalidJobConfig({ issues: [{ path: [], message: `the stored plan is invalid: ${message}` }] })
  )

export const encode = Schema.encodeSync(PlanSnapshot)
