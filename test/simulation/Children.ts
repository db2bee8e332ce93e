/**
 * The fibers that a job forks. Each is in the ledger while it is alive, and some take their time to end.
 */
import { Deferred, Effect, FiberId, type Scope } from "effect"
import type { Job, World } from "./World.js"
import type { Life } from "./Life.js"
import type * as Random from "./Random.js"

/** Until it is interrupted. */
export const held = Effect.suspend(() => Deferred.await(Deferred.unsafeMake<never>(FiberId.none)))

/** What it does, and a finalizer that may be slow. `bounded`: it ends by itself, too. */
export const make = (
  { isCluster, ledger }: World,
  life: Life,
  { attempt, id }: Job,
  random: Random.Random,
  { bounded }: { readonly bounded: boolean }
): Effect.Effect<void, string> => {
  const slowness = random.chance(0.5) ? random.between(0, isCluster ? 500 : 1_500) : 0
  const some = (): Effect.Effect<void, string> => {
    switch (random.weighted({ hold: bounded ? 0 : 3, wait: 2, deaf: 1, fail: 0.5, parent: 1 })) {
      case "hold":
        return held
      case "wait":
        return Effect.sleep(random.between(0, 500))
      case "deaf":
        return Effect.uninterruptible(Effect.sleep(random.between(0, isCluster ? 1_000 : 3_000)))
      case "fail":
        return Effect.zipRight(Effect.sleep(random.between(0, 500)), Effect.fail("a child has failed"))
      case "parent":
        return Effect.zipRight(Effect.fork(attended(Effect.sleep(random.between(0, 500)))), some())
    }
  }
  const attended = (work: Effect.Effect<void, string>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const child = { life, attempt, jobId: id }
        ledger.enterChild(child)
        return child
      }),
      () => work,
      (child) =>
        Effect.zipRight(
          slowness > 0 ? Effect.sleep(slowness) : Effect.void,
          Effect.sync(() => ledger.leaveChild(child))
        )
    )
  return attended(some())
}

/** Forks one, in one of the ways in which that is done. */
export const fork = (
  world: World,
  life: Life,
  job: Job,
  random: Random.Random
): Effect.Effect<unknown, never, Scope.Scope> => {
  const way = random.weighted({ fork: 3, forkScoped: 2, forkIn: 1, uninterruptible: 1, finalizer: 1 })
  const child = make(world, life, job, random.fork(), { bounded: way === "uninterruptible" })
  switch (way) {
    case "fork":
      return Effect.fork(child)
    case "forkScoped":
      return Effect.forkScoped(child)
    case "forkIn":
      return Effect.flatMap(Effect.scope, (scope) => Effect.forkIn(child, scope))
    case "uninterruptible":
      return Effect.fork(Effect.uninterruptible(child))
    case "finalizer":
      // What a finalizer forks inherits that it cannot be interrupted.
      return Effect.addFinalizer(() => Effect.fork(Effect.interruptible(child)))
  }
}
