/**
 * Decides how a new run is admitted. Both stores use it, and read within the transaction that inserts the run.
 */
import { DateTime, Effect, Option } from "effect"
import { IdempotencyKeyReused, JobConflict, MaxJobsReached, QueueFull } from "../../domain/errors.js"
import type { JobId } from "../../domain/JobId.js"
import type { Attaching, Group, HeldKey, Holder, Idempotency, Key, NewRun, Submitted } from "../port/RunStoreService.js"
import { initial, pending, type State } from "./RunTransition.js"

/** Reads within the transaction. */
export interface Lookup<E> {
  readonly idempotent: (kind: string, key: string) => Effect.Effect<Option.Option<Submitted>, E>
  /** The job that holds a key, or else the first that waits for it. */
  readonly holder: (key: Key) => Effect.Effect<Option.Option<Holder>, E>
  /** The runs that wait for a key in order to replace its holder. */
  readonly replacing: (key: Key) => Effect.Effect<ReadonlyArray<Holder>, E>
  /** The chain of a run that has ended, and the run that retries it; none if there is no such run. */
  readonly retried: (kind: string, id: JobId) => Effect.Effect<Option.Option<Retried>, E>
  /** How many runs of a kind are pending. */
  readonly pending: (kind: string) => Effect.Effect<number, E>
}

/** Reads the jobs of a group within the transaction. */
export interface GroupLookup<E> {
  readonly group: (kind: string, group: string) => Effect.Effect<Group, E>
}

/** A run that may be retried, or has been. */
export interface Retried {
  /** The first run of its chain. */
  readonly chain: JobId
  readonly as: JobId | undefined
}

/** The reference of a new run to the run that it retries. */
export interface Retry {
  readonly of: JobId
  /** The first run of the chain; undefined if the new run begins a chain. */
  readonly chain: JobId | undefined
}

/** A run that existed before. */
export interface Existing {
  readonly _tag: "Existing"
  readonly id: JobId
  /** The idempotency key of a request that has attached to the run, recorded so that a repeated request gets the same run. */
  readonly attached?: Idempotency | undefined
}

export type Decision =
  | Existing
  | {
      readonly _tag: "New"
      readonly state: State
      /** The runs that are stopped or cancelled in favour of the new one. */
      readonly replaced: ReadonlyArray<Holder>
      readonly retry: Retry | undefined
    }

/** The keys of a run. */
export const keysOf = (run: Pick<NewRun, "kind" | "key" | "startKey">): ReadonlyArray<Key> => [
  ...(run.startKey === undefined ? [] : [{ kind: run.kind, of: "startKey" as const, key: run.startKey }]),
  ...(run.key === undefined ? [] : [{ kind: run.kind, of: "key" as const, key: run.key }])
]

/** A key with the job that holds it. */
export const heldBy =
  ({ key, of }: Key) =>
  (holder: Option.Option<Holder>): Option.Option<HeldKey> =>
    Option.map(holder, (holder) => ({ of, key, holder }))

/** Why no job of a group may begin: as many run as allowed, or `waiting` begin first. */
export const fullGroup = (
  group: string,
  { active, most, waiting }: Group,
  { isNew }: { readonly isNew: boolean }
): MaxJobsReached | undefined =>
  most !== undefined && active + (isNew ? waiting : 0) >= most
    ? new MaxJobsReached({ maxJobs: most, reason: "group", group })
    : undefined

/** Why a new run may not begin, if its group is full or has runs that begin first. */
export const groupRefusal = <E>(
  { group, kind }: Pick<NewRun, "group" | "kind">,
  lookup: GroupLookup<E>
): Effect.Effect<MaxJobsReached | undefined, E> =>
  group === undefined
    ? Effect.succeed(undefined)
    : Effect.map(lookup.group(kind, group), (found) => fullGroup(group, found, { isNew: true }))

export const admitRun = <E>(
  run: NewRun,
  lookup: Lookup<E>
): Effect.Effect<Decision, JobConflict | QueueFull | IdempotencyKeyReused | E> =>
  Effect.gen(function* () {
    const { idempotency, kind, maxQueued = Number.MAX_SAFE_INTEGER, whenKeyTaken = "refuse" } = run
    if (idempotency !== undefined) {
      const known = yield* lookup.idempotent(kind, idempotency.key)
      if (Option.isSome(known)) return yield* repeated(known.value, idempotency)
    }

    const { retryOf } = run
    const retried = retryOf && Option.getOrUndefined(yield* lookup.retried(kind, retryOf.id))
    if (retried?.as !== undefined && retryOf?.mayRepeat !== true) return { _tag: "Existing", id: retried.as }

    const taken: Array<readonly [Key, Holder]> = []
    for (const key of keysOf(run)) {
      const holder = yield* lookup.holder(key)
      if (Option.isSome(holder)) taken.push([key, holder.value])
    }
    const [first] = taken
    if (first !== undefined) {
      const [{ key }, holder] = first
      const { id: jobId } = holder
      if (whenKeyTaken === "attach") return { _tag: "Existing", id: jobId, attached: idempotency }
      if (whenKeyTaken === "refuse") return yield* conflict(key, holder)
    }

    const isBehindKey = first !== undefined
    const isPending = isBehindKey || run.isQueued === true || isFuture(run)
    if (isPending && (yield* lookup.pending(kind)) >= maxQueued) return yield* new QueueFull({ maxQueued })
    const replaced =
      whenKeyTaken === "replace"
        ? (yield* Effect.forEach(taken, ([key, holder]) =>
            Effect.map(lookup.replacing(key), (earlier) => [holder, ...earlier])
          )).flat()
        : []
    const retry =
      retryOf === undefined || retried === undefined || retried.as !== undefined
        ? undefined
        : { of: retryOf.id, chain: retryOf.fresh ? undefined : retried.chain }
    return { _tag: "New", state: isPending ? pending(run, isBehindKey) : initial(run), replaced, retry }
  })

/** The error of a start whose key another job holds. */
export const conflict = (key: string, { id: jobId, parked, status }: Holder): JobConflict => {
  const { retry, until } = parked ?? {}
  return new JobConflict({
    jobId,
    key,
    status,
    ...(retry === undefined || until === undefined ? {} : { retry: { n: retry.n, of: retry.of, at: until } })
  })
}

/** Decides on a request that only attaches; none if no job holds the key any more. */
export const attachTo = <E>(
  { idempotency, to }: Attaching,
  lookup: Lookup<E>
): Effect.Effect<Option.Option<Existing>, IdempotencyKeyReused | E> =>
  Effect.gen(function* () {
    const known = yield* lookup.idempotent(to.kind, idempotency.key)
    if (Option.isSome(known)) return Option.some(yield* repeated(known.value, idempotency))
    const holder = yield* lookup.holder(to)
    return Option.map(holder, ({ id }) => ({ _tag: "Existing", id, attached: idempotency }))
  })

/** The request that is recorded for runs of version 0.1.0, which kept only the key. */
const unknownRequest = ""

/** A repeated request gets the same run; a different one needs another key. */
export const repeated = (
  { id, request }: Submitted,
  idempotency: Idempotency
): Effect.Effect<Existing, IdempotencyKeyReused> =>
  request === idempotency.request || request === unknownRequest
    ? Effect.succeed({ _tag: "Existing", id })
    : new IdempotencyKeyReused({ key: idempotency.key, jobId: id })

const isFuture = ({ at, startAt }: NewRun): boolean => startAt !== undefined && DateTime.greaterThan(startAt, at)
