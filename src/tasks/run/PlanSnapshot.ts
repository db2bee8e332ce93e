/**
 * A job as it was submitted. It is kept with the job: from then on no file is asked what is to be done, or what must pass.
 */
import { Effect, Schema } from "effect"
import { InvalidJobConfig } from "../../domain/errors.js"
import { JobId } from "../../domain/JobId.js"
import { Fingerprint } from "../../git/Fingerprint.js"
import { BranchName, ObjectId, UnitName } from "../../git/RefNames.js"
import { TaskNumber } from "../../yaml/fields.js"
import { Plan } from "../plan/Plan.js"

/** What a job that failed has done, and this one need not do again. */
export class Taken extends Schema.Class<Taken>("charlotte/Taken")({
  from: Schema.optional(JobId),
  /** Units that were begun, with the commit at which their branches go on. */
  begun: Schema.Record({ key: UnitName, value: ObjectId }),
  /** Tasks that were done. */
  tasks: Schema.Array(Schema.Struct({ unit: UnitName, task: TaskNumber }))
}) {}

export class PlanSnapshot extends Schema.Class<PlanSnapshot>("charlotte/PlanSnapshot")({
  at: Schema.DateTimeUtc,
  /** The checkout through which the repository was reached. */
  topLevel: Schema.String,
  identity: Schema.String,
  fingerprint: Fingerprint,
  target: BranchName,
  /** The commit at which the target stood. */
  targetAt: ObjectId,
  /** The commit at which the work begins. */
  base: ObjectId,
  agent: Schema.String,
  plan: Plan,
  taken: Taken
}) {}

/** Two jobs never work for the same branch of the same repository, by whatever path it is reached. */
export const key = ({ identity, target }: PlanSnapshot): string => `branch ${target} of repository ${identity}`

const decoded = Schema.decodeUnknown(PlanSnapshot)

/** Reads what was kept. */
export const decode = (kept: unknown): Effect.Effect<PlanSnapshot, InvalidJobConfig> =>
  Effect.mapError(
    decoded(kept),
    ({ message }) => new InvalidJobConfig({ issues: [{ path: [], message: `what was submitted: ${message}` }] })
  )

export const encode = Schema.encodeSync(PlanSnapshot)
