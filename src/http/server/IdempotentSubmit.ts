/**
 * Submitting a job so that it can be sent again: with one idempotency key there is one job, whoever asks and however often.
 *
 * The key is kept as a label of the run. So it is recorded in the transaction that records the run: there is no moment, and
 * no crash, after which there is a job without its key or a key without its job. Outside, nobody sees or sets such a label.
 */
import { Effect, Either, Predicate, Schema } from "effect"
import { InvalidJobConfig, type StoreError } from "../../domain/errors.js"
import { JobConfig } from "../../domain/JobConfig.js"
import { Run } from "../../domain/Run.js"
import type { JobManager } from "../../manager/JobManager.js"
import type { RunStore } from "../../store/RunStore.js"
import type { Submission } from "../contract/Parameters.js"
import { IdempotencyKeyReused } from "../contract/errors.js"

const label = "charlotte.idempotency-key"

const without = <V>(labels: { readonly [name: string]: V }): { readonly [name: string]: V } =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => name !== label))

/** A run as it is shown: with the labels that it was submitted with, and no other. */
export const shown = (run: Run): Run =>
  label in run.labels
    ? new Run({ ...run, labels: without(run.labels), config: submitted(run.config) }, { disableValidation: true })
    : run

/** The configuration without the key; without labels at all when it had none of its own. */
const submitted = (config: unknown): unknown => {
  if (!Predicate.isRecord(config) || !Predicate.isRecord(config["labels"])) return config
  const { labels, ...others } = config
  const own = without(labels)
  return Object.keys(own).length === 0 ? others : { ...others, labels: own }
}

/** Nobody has looked yet whether its labels are labels; if they are not, it is refused as it is. */
const labelled = (submission: Submission, key: string): Submission =>
  submission.labels === undefined || Predicate.isRecord(submission.labels)
    ? { ...submission, labels: { ...submission.labels, [label]: key } }
    : submission

const isReserved = ({ labels }: Submission): boolean => Predicate.isRecord(labels) && label in labels

const decode = Schema.decodeUnknownEither(JobConfig)
const same = Schema.equivalence(JobConfig)

/** Whether a body asks for what a run was submitted with: field by field, with the defaults filled in. */
const asksFor = (submission: Submission, run: Run): boolean =>
  Either.getOrElse(Either.zipWith(decode(submitted(submission)), decode(submitted(run.config)), same), () => false)

export const make = (options: {
  readonly kind: string
  readonly manager: JobManager["Type"]
  readonly store: RunStore["Type"]
}) => {
  const { kind, manager, store } = options
  /** Of the submissions that are under way. */
  const locks = new Map<string, { readonly turn: Effect.Semaphore; users: number }>()

  /** One at a time for each key. There is one manager of a kind in a database, so nobody else looks at the same time. */
  const inTurn = <A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(key) ?? { turn: Effect.unsafeMakeSemaphore(1), users: 0 }
        lock.users += 1
        locks.set(key, lock)
        return lock
      }),
      ({ turn }) => turn.withPermits(1)(effect),
      (lock) =>
        Effect.sync(() => {
          lock.users -= 1
          if (lock.users === 0) locks.delete(key)
        })
    )

  const find = (key: string): Effect.Effect<Run | undefined, StoreError> =>
    Effect.map(store.list({ kind, labels: { [label]: key }, limit: 1 }), ([run]) => run)

  /** The id of the job; a new one, unless the key has been used for the same submission. */
  const submit = (submission: Submission, key: string | undefined) =>
    Effect.gen(function* () {
      if (isReserved(submission)) {
        return yield* new InvalidJobConfig({ issues: [{ path: ["labels", label], message: "is reserved" }] })
      }
      if (key === undefined) return yield* manager.start(submission)
      return yield* inTurn(
        key,
        Effect.gen(function* () {
          const earlier = yield* find(key)
          if (earlier === undefined) return yield* manager.start(labelled(submission, key))
          return asksFor(submission, earlier) ? earlier.id : yield* new IdempotencyKeyReused({ key, jobId: earlier.id })
        })
      )
    })

  return { submit }
}
