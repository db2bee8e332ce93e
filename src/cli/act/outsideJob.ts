/**
 * Commands with which a person decides are refused inside a job. That is a fence against accidents, no protection: an agent could
 * remove the variable from its environment.
 */
import { Effect } from "effect"
import { Problem } from "../../daemon/Problem.js"
import { cookieName, ParentEnvironment } from "../../process/ChildEnvironment.js"

/** Fails if this process belongs to a job: a job must not decide by accident what a person was asked. */
export const outsideJob: Effect.Effect<void, Problem> = Effect.flatMap(ParentEnvironment, (environment) => {
  if (environment[cookieName] === undefined) return Effect.void
  const problem = "this command runs inside a job, and is for a person in a shell outside of it"
  return new Problem({ name: "InsideJob", problem, details: {} })
})
