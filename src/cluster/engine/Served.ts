/**
 * The kinds of job that this node manages, and the handling of requests about them, from this node and from others.
 */
import { Cause, Effect, Exit, Fiber, FiberSet, type Scope } from "effect"
import type { JobId } from "../../domain/JobId.js"
import { atMost, type Requests, Unrouted } from "../Engine.js"
import { type By, Elsewhere, JobRpcs } from "./JobRpcs.js"

export interface Served {
  readonly serve: (kind: string, requests: Requests) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Handles a request here, if this node manages jobs of that kind and, for a request by shard, has the shard of the job. It
   * continues even if the caller is interrupted.
   */
  readonly answer: <A, E>(
    question: Question,
    use: (requests: Requests) => Effect.Effect<A, E | Unrouted>
  ) => Effect.Effect<A, E | Unrouted>
}

interface Question {
  readonly kind: string
  readonly jobId: JobId
  readonly by: By
}

interface Kind {
  readonly requests: Requests
  readonly fibers: FiberSet.FiberSet
}

export const make = (hasShard: (id: JobId) => boolean): Served => {
  const kinds = new Map<string, Kind>()
  return {
    serve: (kind, requests) =>
      Effect.gen(function* () {
        const served = { requests, fibers: yield* FiberSet.make() }
        kinds.set(kind, served)
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            if (kinds.get(kind) === served) kinds.delete(kind)
          })
        )
      }),
    answer: ({ by, jobId, kind }, use) =>
      Effect.gen(function* () {
        const served = kinds.get(kind)
        if (served === undefined || (by === "shard" && !hasShard(jobId))) return yield* new Unrouted({ jobId })
        const fiber = yield* FiberSet.run(served.fibers, Effect.interruptible(use(served.requests)))
        const exit = yield* Fiber.await(fiber)
        // The manager of that kind was closed; another node has its jobs now, or will have them.
        if (Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)) return yield* new Unrouted({ jobId })
        return yield* exit
      })
  }
}

const elsewhere = { Unrouted: () => new Elsewhere() }

/** Maximum number of requests of other nodes that are handled at once. */
const maxAtWork = 64

/** Handles requests of other nodes. A wake-up ends at once, and does not count. */
export const handlers = ({ answer }: Served) => {
  const limited = atMost(maxAtWork)
  return JobRpcs.toLayer({
    Ping: () => Effect.void,
    Wake: (question) =>
      Effect.catchTags(
        answer(question, ({ wake }) => wake(question.jobId)),
        elsewhere
      ),
    Stop: (question) =>
      Effect.catchTags(limited(answer(question, ({ stop }) => stop(question.jobId, question.grace))), elsewhere)
  })
}
