/**
 * What a server has for its own jobs, besides what all kinds have in common.
 */
import { Context, type Effect } from "effect"
import type { JobNotFound, StoreError, TooManySignals } from "../../domain/errors.js"
import type { JobEvent } from "../../domain/JobEvent.js"
import type { JobId } from "../../domain/JobId.js"
import type { Diff } from "../contract/Diff.js"
import type { ApprovalRefused, DiffUnavailable, InvalidQuery } from "../contract/errors.js"

/** What a person decides about the result of a job: rejected, if there is a reason. */
export interface Decision {
  readonly commit?: string | undefined
  readonly unit?: string | undefined
  readonly because?: string | undefined
  readonly by?: string | undefined
}

export class Extension extends Context.Tag("charlotte/http/Extension")<
  Extension,
  {
    /** A page of the changes of a job, of one of its units, or of one of their tasks. */
    readonly diff: (
      id: JobId,
      query: {
        readonly unit?: string | undefined
        readonly task?: number | undefined
        readonly after?: string | undefined
      }
    ) => Effect.Effect<Diff, DiffUnavailable | InvalidQuery | JobNotFound | StoreError>
    /** Approves or rejects the result of a job. */
    readonly decide: (
      id: JobId,
      decision: Decision
    ) => Effect.Effect<void, ApprovalRefused | JobNotFound | TooManySignals | StoreError>
    /** Called with every event, once, to count it. */
    readonly record: (event: JobEvent) => Effect.Effect<void, StoreError>
    /** The number of running turns of an agent. */
    readonly turns: (agent: string) => number
    /** Why the login, the key or the account of an agent was refused in its last turn. */
    readonly refusal: (agent: string) => string | undefined
  }
>() {}
