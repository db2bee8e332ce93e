/**
 * Records many waiting runs with few commits.
 */
import { Array, type DateTime, Effect, Either } from "effect"
import type { InvalidJobConfig, JobConflict, QueueFull, ShuttingDown, StoreError } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import { request, type StartOptions } from "../../domain/StartOptions.js"
import * as race from "../../internal/race.js"
import { traced } from "../../internal/Tracing.js"
import type { Core } from "./Core.js"
import { queueJob, type WriteError } from "./startJob.js"
import { type Starting, submit, type Submission, type Submitting } from "./submission.js"

type Answer = Either.Either<JobId, InvalidJobConfig | JobConflict | QueueFull>

/** How many runs are written together. */
const slice = 1_000

export const startMany = <Config>(
  core: Core<Config>,
  starting: Starting<Config>,
  configs: ReadonlyArray<unknown>,
  options: StartOptions = {}
): Effect.Effect<ReadonlyArray<Answer>, ShuttingDown | StoreError> =>
  Effect.zipRight(
    core.store.outsideTransaction,
    startEach(starting, configs, options, {
      before: core.shutdown.refuse,
      now: core.store.now,
      record: (submission) => queueJob(core, starting, submission)
    })
  ).pipe(traced("JobManager.startMany"))

/** Ids are assigned in the order of the configurations; with one priority, that is the order in which they begin. */
export const startEach = <Config>(
  starting: Submitting<Config>,
  configs: ReadonlyArray<unknown>,
  options: StartOptions = {},
  {
    before,
    now,
    record
  }: {
    /** Fails if no more runs can be recorded. */
    readonly before: Effect.Effect<void, ShuttingDown>
    readonly now: Effect.Effect<DateTime.Utc>
    readonly record: (submission: Submission<Config>) => Effect.Effect<JobId, WriteError | ShuttingDown>
  }
): Effect.Effect<ReadonlyArray<Answer>, ShuttingDown | StoreError> =>
  Effect.gen(function* () {
    const answers: Array<Answer> = []
    for (const chunk of Array.chunksOf(configs, slice)) {
      yield* before
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
        Effect.map(answered(Effect.flatMap(submission, record)), (answer) => {
          answers[first + i] = answer
        })
      )
    }
    return answers
  })

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
