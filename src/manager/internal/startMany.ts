/**
 * Records many waiting runs with few commits.
 */
import { Array, Effect, Either } from "effect"
import type { InvalidJobConfig, JobConflict, QueueFull, ShuttingDown, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { request, type StartOptions } from "../../domain/StartOptions.js"
import { now } from "../../internal/now.js"
import * as race from "../../internal/race.js"
import { traced } from "../../internal/Tracing.js"
import type { Core } from "./Core.js"
import { queueJob, type WriteError } from "./startJob.js"
import { type Starting, submit } from "./submission.js"

type Answer = Either.Either<JobId, InvalidJobConfig | JobConflict | QueueFull>

/** How many runs are written together. */
const slice = 1_000

/** Ids are assigned in the order of the configurations; with one priority, that is the order in which they begin. */
export const startMany = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  configs: ReadonlyArray<unknown>,
  options: StartOptions = {}
): Effect.Effect<ReadonlyArray<Answer>, ShuttingDown | StoreError> =>
  Effect.gen(function* () {
    yield* core.store.outsideTransaction
    const answers: Array<Answer> = []
    for (const chunk of Array.chunksOf(configs, slice)) {
      yield* core.shutdown.refuse
      const at = yield* now
      const submissions = yield* Effect.forEach(chunk, (config) =>
        Effect.either(
          Effect.flatMap(request(options, { at, hasKey: starting.key !== undefined }), (requested) =>
            submit(starting, config, { id: starting.nextId(at.epochMillis), at, requested, options })
          )
        )
      )
      const first = answers.length
      yield* race.forEach([...submissions.entries()], slice, ([i, submission]) =>
        Effect.map(
          answered(Effect.flatMap(submission, (submission) => queueJob(core, starting, submission))),
          (answer) => {
            answers[first + i] = answer
          }
        )
      )
    }
    return answers
  }).pipe(traced("JobManager.startMany"))

/** An error of one run is its result; an error that concerns all of them fails the call. */
const answered = (
  started: Effect.Effect<JobId, WriteError | ShuttingDown>
): Effect.Effect<Answer, ShuttingDown | StoreError> =>
  started.pipe(
    Effect.map((id): Answer => Either.right(id)),
    Effect.catchTags({
      InvalidJobConfig: (error) => Effect.succeed<Answer>(Either.left(error)),
      JobConflict: (error) => Effect.succeed<Answer>(Either.left(error)),
      QueueFull: (error) => Effect.succeed<Answer>(Either.left(error)),
      // There are no idempotency keys here.
      IdempotencyKeyReused: Effect.die
    })
  )
