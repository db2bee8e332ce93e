/**
 * One job manager that stands for those that follow each other in a daemon. Streams and waits go on with the next one.
 */
import { Deferred, Effect, Option, Stream } from "effect"
import { StoreError } from "../domain/errors.js"
import { type JobEvent, lifecycle } from "../domain/JobEvent.js"
import { isTerminal } from "../domain/RunStatus.js"
import type { JobManager } from "../manager/JobManager.js"
import type { RunStore } from "../store/RunStore.js"

type Manager = JobManager["Type"]

export interface Generation {
  readonly manager: Manager
  /** Done once it has lost its jobs; then it is current no more. */
  readonly lost: Deferred.Deferred<void>
}

export interface Generations {
  readonly latestCursor: RunStore["Type"]["latestCursor"]
  readonly current: Effect.Effect<Option.Option<Generation>>
  /** The current one, once there is one; none when there will be none any more. */
  readonly next: Effect.Effect<Option.Option<Generation>>
}

const away = (operation: string) =>
  new StoreError({
    operation,
    reason: "unreachable",
    cause: new Error("the database has not answered for some seconds; see: charlotte daemon status")
  })

const isLast = ({ type }: JobEvent): boolean =>
  Object.entries(lifecycle).some(([name, status]) => name === type && isTerminal(status))

/** Before a database that cannot be reached is asked again. */
const pause = Effect.sleep("1 second")

const isAway = (error: unknown): boolean => error instanceof StoreError && error.reason === "unreachable"

interface Following<E> {
  readonly after: number
  /** Whether nothing follows this event. */
  readonly isEnd: (event: JobEvent) => boolean
  readonly positionOf: (event: JobEvent) => number
  readonly show: (manager: Manager, after: number) => Stream.Stream<JobEvent, E>
}

export const make = ({ current, latestCursor, next }: Generations): Manager => {
  /** Fails while there is none. */
  const using = <A, E>(
    operation: string,
    use: (manager: Manager) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | StoreError> =>
    Effect.flatMap(current, (found): Effect.Effect<A, E | StoreError> =>
      Option.isSome(found) ? use(found.value.manager) : away(operation)
    )

  /** Without a manager nothing is active. */
  const asking = <A>(use: (manager: Manager) => Effect.Effect<A>, otherwise: A): Effect.Effect<A> =>
    Effect.flatMap(current, (found) => (Option.isSome(found) ? use(found.value.manager) : Effect.succeed(otherwise)))

  /** What a generation shows after a position, then what those after it show, until one ends that was not lost. */
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
          Stream.concat(
            Stream.unwrap(Effect.map(Deferred.isDone(lost), (isLost) => (isLost && !isOver ? rest : Stream.empty)))
          ),
          Stream.catchAll((error) => (isAway(error) ? Stream.unwrap(Effect.as(pause, rest)) : Stream.fail(error)))
        )
      const rest: Stream.Stream<JobEvent, E | StoreError> = Stream.unwrap(
        Effect.map(next, Option.match({ onNone: () => Stream.empty, onSome: shown }))
      )
      return rest
    })

  const awaitEnd = (id: Parameters<Manager["await"]>[0]): ReturnType<Manager["await"]> =>
    Effect.flatMap(current, (found) => {
      if (Option.isNone(found)) return away("await")
      const { lost, manager } = found.value
      return Effect.flatMap(manager.await(id), (run) =>
        Effect.flatMap(Deferred.isDone(lost), (isLost) =>
          isLost && !isTerminal(run.status)
            ? Effect.flatMap(next, (following) => (Option.isSome(following) ? awaitEnd(id) : Effect.succeed(run)))
            : Effect.succeed(run)
        )
      )
    })

  return {
    start: (config, options) => using("start", ({ start }) => start(config, options)),
    startMany: (configs, options) => using("start", ({ startMany }) => startMany(configs, options)),
    stop: (id, options) => using("stop", ({ stop }) => stop(id, options)),
    // An answer without the jobs that are in the database would be wrong.
    stopAll: Effect.flatMap(next, (found) => (Option.isSome(found) ? found.value.manager.stopAll : Effect.succeed([]))),
    get: (id) => asking(({ get }) => get(id), Option.none()),
    list: asking(({ list }) => list, []),
    activeCount: asking(({ activeCount }) => activeCount, 0),
    await: awaitEnd,
    signal: (id, name, payload, options) => using("signal", ({ signal }) => signal(id, name, payload, options)),
    resume: (id) => using("resume", ({ resume }) => resume(id)),
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
