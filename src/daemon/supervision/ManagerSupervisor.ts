/**
 * The job manager of a daemon. A manager that lost the ownership of its jobs, because its PostgreSQL server was unreachable for longer
 * than its lease, is replaced by another as soon as the server is back. Until then there is none, and operations fail as unreachable.
 */
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Option, Ref, Schedule, Scope } from "effect"
import { type AlreadyManaged, type StoreError } from "../../domain/errors.js"
import { JobManager, type Options } from "../../manager/JobManager.js"
import { RunStore } from "../../store/RunStore.js"
import * as supervisedManager from "./supervisedManager.js"

export interface Supervised {
  readonly manager: JobManager["Type"]
  /** Why there is no manager at the moment. */
  readonly problems: Effect.Effect<ReadonlyArray<string>>
}

export type OnLost = NonNullable<Options["onLost"]>

interface Generation extends supervisedManager.Generation {
  readonly scope: Scope.CloseableScope
  /** Done once it has lost its jobs and released them. */
  readonly over: Deferred.Deferred<void>
}

type State =
  | { readonly _tag: "Managing"; readonly generation: Generation }
  | { readonly _tag: "Away"; readonly problem: string; readonly next: Deferred.Deferred<Option.Option<Generation>> }
  | { readonly _tag: "Closed" }

const lostProblem =
  "the database has not answered, or has another owner: jobs are interrupted, and continue when a manager has them again"

const pause = Schedule.spaced("1 second")

/** Fails if the first manager cannot be built. */
export const make = <R>(
  layerOf: (onLost: OnLost) => Layer.Layer<JobManager, StoreError | AlreadyManaged, R>
): Effect.Effect<Supervised, StoreError | AlreadyManaged, R | RunStore | Scope.Scope> =>
  Effect.gen(function* () {
    const state = yield* Ref.make<State>({ _tag: "Closed" })

    const build: Effect.Effect<Generation, StoreError | AlreadyManaged, R> = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const lost = yield* Deferred.make<void>()
        const over = yield* Deferred.make<void>()
        const next = yield* Deferred.make<Option.Option<Generation>>()
        const onLost: OnLost = (letGo) =>
          Effect.gen(function* () {
            yield* Ref.set(state, { _tag: "Away", problem: lostProblem, next })
            yield* Deferred.succeed(lost, undefined)
            yield* letGo
            yield* Deferred.succeed(over, undefined)
          })
        const built = restore(Layer.buildWithScope(layerOf(onLost), scope))
        const context = yield* Effect.onError(built, (cause) => Scope.close(scope, Exit.failCause(cause)))
        return { manager: Context.get(context, JobManager), scope, lost, over }
      })
    )

    /** Logs each reason of failure once. A defect counts as one: without a manager, no job would ever continue. */
    const report = (cause: Cause.Cause<StoreError | AlreadyManaged>) =>
      Effect.gen(function* () {
        const now = yield* Ref.get(state)
        const [{ message } = { message: Cause.pretty(cause) }] = Cause.prettyErrors(cause)
        if (now._tag !== "Away" || now.problem === message) return
        yield* Ref.set(state, { ...now, problem: message })
        yield* Effect.logWarning(`there is no manager of jobs, retrying: ${message}`)
      })

    const replace = (generation: Generation) =>
      Effect.gen(function* () {
        yield* Deferred.await(generation.over)
        yield* Effect.uninterruptible(Scope.close(generation.scope, Exit.void))
        const next = yield* Effect.retry(Effect.tapError(Effect.sandbox(build), report), pause)
        const before = yield* Ref.getAndSet(state, { _tag: "Managing", generation: next })
        yield* Effect.logInfo("jobs are managed again")
        if (before._tag === "Away") yield* Deferred.succeed(before.next, Option.some(next))
        return next
      })

    const first = yield* build
    yield* Ref.set(state, { _tag: "Managing", generation: first })
    const replacing = yield* Effect.iterate(first, { while: () => true, body: replace }).pipe(
      Effect.annotateLogs("module", "ManagerSupervisor"),
      Effect.interruptible,
      Effect.forkDaemon
    )
    yield* Effect.addFinalizer((exit) =>
      Effect.gen(function* () {
        yield* Fiber.interrupt(replacing)
        const last = yield* Ref.getAndSet(state, { _tag: "Closed" })
        if (last._tag === "Managing") yield* Scope.close(last.generation.scope, exit)
        if (last._tag === "Away") yield* Deferred.succeed(last.next, Option.none())
      })
    )

    const { latestCursor } = yield* RunStore
    const generations: supervisedManager.Generations = {
      latestCursor,
      current: Effect.map(Ref.get(state), (now) =>
        now._tag === "Managing" ? Option.some(now.generation) : Option.none()
      ),
      next: Effect.flatMap(Ref.get(state), (now) => {
        switch (now._tag) {
          case "Managing":
            return Effect.succeedSome(now.generation)
          case "Away":
            return Deferred.await(now.next)
          case "Closed":
            return Effect.succeedNone
        }
      })
    }
    return {
      manager: supervisedManager.make(generations),
      problems: Effect.map(Ref.get(state), (now) => (now._tag === "Away" ? [now.problem] : []))
    }
  })
