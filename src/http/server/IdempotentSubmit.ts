/**
 * Idempotent submission: any number of requests with the same `Idempotency-Key` start one job.
 *
 * The key is stored as a reserved label of the run, so it is committed in the same transaction as the run and no crash can separate
 * the two. Responses do not contain the label.
 */
import { Effect, Either, Predicate, Schema } from "effect"
import { InvalidJobConfig, type StoreError } from "../../domain/errors.js"
import { JobConfig } from "../../domain/JobConfig.js"
import { Run } from "../../domain/Run.js"
import type { JobManager } from "../../manager/JobManager.js"
import type { Reads } from "../../store/Runs.js"
import type { Submission } from "../contract/Parameters.js"
import { IdempotencyKeyReused } from "../contract/errors.js"

const label = "charlotte.idempotency-key"

const withoutLabel = <V>(labels: { readonly [name: string]: V }): { readonly [name: string]: V } =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => name !== label))

/** The run with the labels it was submitted with. */
export const withoutIdempotencyKey = (run: Run): Run =>
  label in run.labels
    ? new Run(
        { ...run, labels: withoutLabel(run.labels), config: withoutKeyLabel(run.config) },
        { disableValidation: true }
      )
    : run

/** The config without the key, and without `labels` if there are no others. */
const withoutKeyLabel = (config: unknown): unknown => {
  if (!Predicate.isRecord(config) || !Predicate.isRecord(config["labels"])) return config
  const { labels, ...others } = config
  const own = withoutLabel(labels)
  return Object.keys(own).length === 0 ? others : { ...others, labels: own }
}

/** Labels are not validated yet. Invalid ones are passed on unchanged, and `JobManager.start` refuses them. */
const withKey = (submission: Submission, key: string): Submission =>
  submission.labels === undefined || Predicate.isRecord(submission.labels)
    ? { ...submission, labels: { ...submission.labels, [label]: key } }
    : submission

const isReserved = ({ labels }: Submission): boolean => Predicate.isRecord(labels) && label in labels

const decode = Schema.decodeUnknownEither(JobConfig)
const same = Schema.equivalence(JobConfig)

/** Whether a submission equals that of a run, with defaults filled in. */
const isSameSubmission = (submission: Submission, run: Run): boolean =>
  Either.getOrElse(
    Either.zipWith(decode(withoutKeyLabel(submission)), decode(withoutKeyLabel(run.config)), same),
    () => false
  )

export const make = (options: {
  readonly kind: string
  readonly manager: JobManager["Type"]
  readonly store: Pick<Reads, "page">
}) => {
  const { kind, manager, store } = options
  const locks = new Map<string, { readonly mutex: Effect.Semaphore; users: number }>()

  /** A mutex for each key. It suffices within this process, because a database has one manager of each kind. */
  const withLock = <A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(key) ?? { mutex: Effect.unsafeMakeSemaphore(1), users: 0 }
        lock.users += 1
        locks.set(key, lock)
        return lock
      }),
      ({ mutex }) => mutex.withPermits(1)(effect),
      (lock) =>
        Effect.sync(() => {
          lock.users -= 1
          if (lock.users === 0) locks.delete(key)
        })
    )

  const find = (key: string): Effect.Effect<Run | undefined, StoreError> =>
    Effect.map(store.page({ kind, labels: { [label]: key }, limit: 1 }), ({ runs: [run] }) => run)

  /** The id of a new job, or of the job that was submitted with the same key and body. */
  const submit = (submission: Submission, key: string | undefined) =>
    Effect.gen(function* () {
      if (isReserved(submission)) {
        return yield* new InvalidJobConfig({ issues: [{ path: ["labels", label], message: "is reserved" }] })
      }
      if (key === undefined) return yield* manager.start(submission)
      return yield* withLock(
        key,
        Effect.gen(function* () {
          const earlier = yield* find(key)
          if (earlier === undefined) return yield* manager.start(withKey(submission, key))
          return isSameSubmission(submission, earlier)
            ? earlier.id
            : yield* new IdempotencyKeyReused({ key, jobId: earlier.id })
        })
      )
    })

  return { submit }
}
