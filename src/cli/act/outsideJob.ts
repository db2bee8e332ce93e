/**
 * Commands with which a person decides are refused inside a job. That is a fence against accidents, no protection: an agent could
 * remove the variable from its environment.
 */
import { Effect, Schema } from "effect"
import { cookieName, ParentEnvironment } from "../../process/ChildEnvironment.js"

/** A job must not decide by accident what a person was asked. */
export class InsideJob extends Schema.TaggedError<InsideJob>()("InsideJob", {}) {
  override get message() {
    return "this command runs inside a job, and is for a person in a shell outside of it"
  }
}

/** Fails if this process belongs to a job. */
export const outsideJob: Effect.Effect<void, InsideJob> = Effect.flatMap(ParentEnvironment, (environment) =>
  environment[cookieName] === undefined ? Effect.void : new InsideJob()
)
