import { Data } from "effect"
import type { SpendingLimits } from "../../domain/Cost.js"

/** No turn may begin before a person resumes the job, since enough is spent. */
export class BudgetReached extends Data.TaggedError("BudgetReached")<{
  readonly reason: string
  /** The limits of the job; missing if it is a limit of the agent's own command. */
  readonly limits?: SpendingLimits
}> {}
