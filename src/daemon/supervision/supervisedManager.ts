/**
 * Facade over the successive managers of a daemon: streams and waits continue with the next one.
 */
import { Deferred, Effect, Option, Stream } from "effect"
import { StoreError } from "../../domain/errors.js"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import { isTerminal } from "../../domain/RunStatus.js"
import type { JobManager } from "../../manager/JobManager.js"
import type { RunStore } from "../../store/RunStore.js"

type Manager = JobManager["Type"]

export interface Generation {
  readonly manager: Manager
  /** Done once it has lost its jobs and is no longer current. */
  readonly lost: Deferred.Deferred<void>
}

export interface Generations {
  readonly latestCursor: RunStore["Type"]["latestCursor"]
  readonly current: Effect.Effect<Option.Option<Generation>>
  /** The current generation, as soon as there is one; none if there will never be another. */
  readonly next: Effect.Effect<Option.Option<Generation>>
}

const unavailable = (operation: string) =>
  new StoreError({
    operation,
    reason: "unreachable",
    cause: new Error("the database has not answered for some seconds; see: charlotte daemon status")
  })

const isLast = ({ type }: JobEvent): boolean =>
  Object.entries(lifecycle).some(([name, status]) => name === type && isTerminal(status))

/** Before an unreachable database is queried again. */
const pause = Effect.sleep("1 second")

/** Ends a stream that is repeated for ever. */
const finished = Stream.fail(Option.none<never>())

const isAway = (error: unknown): boolean => error instanceof StoreError && error.reason === "unreachable"

interface Following<E> {
  readonly after: number
  /** Whether nothing follows this event. */
  readonly isEnd: (event: JobEvent) => boolean
  readonly positionOf: (event: JobEvent) => number
  readonly show: (manager: Manager, after: number) => Stream.Stream<JobEvent, E>
}

export const make = ({ current, latestCursor, next }: Generations): Manager => {
  /** Fails while there is no manager. */
  const using = <A, E>(
    operation: string,
    use: (manager: Manager) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | StoreError> =>
    Effect.flatMap(current, (found): Effect.Effect<A, E | StoreError> =>
      Option.isSome(found) ? use(found.value.manager) : unavailable(operation)
    )

  /** The same with a stream, which ends with the manager. */
  const streaming = <A, E>(
    operation: string,
    use: (manager: Manager) => Stream.Stream<A, E>
  ): Stream.Stream<A, E | StoreError> => Stream.unwrap(using(operation, (manager) => Effect.succeed(use(manager))))

  /** Without a manager nothing is active. */
  const asking = <A>(use: (manager: Manager) => Effect.Effect<A>, otherwise: A): Effect.Effect<A> =>
    Effect.flatMap(current, (found) => (Option.isSome(found) ? use(found.value.manager) : Effect.succeed(otherwise)))

  /** The events of successive generations after a position, until a generation ends without being lost. */
  const following = <E>({ after, isEnd, positionOf, show }: Following<E>): Stream.Stream<JobEvent, E | StoreError> =>
    Stream.suspend(() => {
      let position = after
      let isOver = false
      const shown = ({ lost, manager }: Generation) =>
        show(manager, position).pipe(
          Stream.map((event) => {
            position = positionOf(event)
            isOver = isEnd(event)
            return event
          }),
          Stream.mapError(Option.some<E | StoreError>),
          Stream.concat(
            Stream.unwrap(Effect.map(Deferred.isDone(lost), (isLost) => (isLost && !isOver ? Stream.empty : finished)))
          ),
          Stream.catchAll((error) => (Option.exists(error, isAway) ? Stream.execute(pause) : Stream.fail(error)))
        )
      const current: Stream.Stream<JobEvent, Option.Option<E | StoreError>> = Stream.unwrap(
        Effect.map(next, Option.match({ onNone: () => finished, onSome: shown }))
      )
      // A loop rather than a recursive stream: nested in each other, each attempt would slow down all later events.
      return Stream.catchAll(Stream.forever(current), Option.match({ onNone: () => Stream.empty, onSome: Stream.fail }))
    })

  const awaitEnd = (id: Parameters<Manager["await"]>[0]): ReturnType<Manager["await"]> =>
    Effect.flatMap(current, (found) => {
      if (Option.isNone(found)) return unavailable("await")
      const { lost, manager } = found.value
      return Effect.flatMap(manager.await(id), (run) =>
        Effect.flatMap(Deferred.isDone(lost), (isLost) =>
          isLost && !isTerminal(run.status)
            ? Effect.flatMap(next, (following) => (Option.isSome(following) ? awaitEnd(id) : Effect.succeed(run)))
            : Effect.succeed(run)
        )
      )
    })

  const stopAllBy: Manager["stopAllBy"] = (by) =>
    Effect.flatMap(next, (found) => (Option.isSome(found) ? found.value.manager.stopAllBy(by) : Effect.succeed([])))

  return {
    start: (config, options) => using("start", ({ start }) => start(config, options)),
    startMany: (configs, options) => using("start", ({ startMany }) => startMany(configs, options)),
    stop: (id, options) => using("stop", ({ stop }) => stop(id, options)),
    // Waits for a manager: without one, the jobs in the database would be missing from the result.
    stopAll: stopAllBy(undefined),
    stopAllBy,
    get: (id) => asking(({ get }) => get(id), Option.none()),
    list: asking(({ list }) => list, []),
    activeCount: asking(({ activeCount }) => activeCount, 0),
    await: awaitEnd,
    signal: (id, name, payload, options) => using("signal", ({ signal }) => signal(id, name, payload, options)),
    resume: (id, options) => using("resume", ({ resume }) => resume(id, options)),
    retry: (id, options) => using("retry", ({ retry }) => retry(id, options)),
    retryMany: (query) => streaming("retry", ({ retryMany }) => retryMany(query)),
    remove: (id, options) => using("remove", ({ remove }) => remove(id, options)),
    removeMany: (query) => streaming("remove", ({ removeMany }) => removeMany(query)),
    reschedule: (id, options) => using("reschedule", ({ reschedule }) => reschedule(id, options)),
    limit: (maxJobs, options) => using("limit", ({ limit }) => limit(maxJobs, options)),
    maxJobs: using("read the limit", ({ maxJobs }) => maxJobs),
    pause: (options) => using("pause", ({ pause }) => pause(options)),
    unpause: (options) => using("unpause", ({ unpause }) => unpause(options)),
    events: (id, { after = 0 } = {}) =>
      following({
        after,
        isEnd: isLast,
        positionOf: ({ seq }) => seq,
        show: ({ events }, after) => events(id, { after })
      }),
    allEvents: ({ after = 0 } = {}) =>
      Stream.unwrap(
        Effect.map(after === "latest" ? latestCursor : Effect.succeed(after), (after) =>
          following({
            after,
            isEnd: () => false,
            positionOf: ({ cursor }) => cursor,
            show: ({ allEvents }, after) => allEvents({ after })
          })
        )
      ),
    health: asking(({ health }) => health, { healthy: true, unrecorded: [] })
  }
}
