/**
 * The guard of a node: a small process in a session of its own, which kills all child processes of jobs when the node is gone, or has
 * been without its lease for a while, for example because it is suspended. It runs in a cluster only.
 *
 * A guard that ends is replaced at once, and the new one gets all processes to guard; meanwhile no process is started. The jobs
 * continue: their node is alive, and ending them would make two failures of one.
 *
 * @since 0.2.0
 */
import { Context, Duration, Effect, Layer, type Scope } from "effect"
import { ProcessTableRef } from "../../process/ProcessTable.js"
import * as TreeGuard from "../../process/TreeGuard.js"
import type { GuardNotStarted } from "./Connection.js"
import * as GuardProcess from "./GuardProcess.js"

/**
 * The guard of this node.
 *
 * @since 0.2.0
 * @category tags
 */
export class Guard extends Context.Tag("charlotte/Guard")<Guard, GuardProcess.Service>() {}

export { GuardNotStarted } from "./Connection.js"
export type { Service } from "./GuardProcess.js"

/**
 * How long a node lives without an answer of the database, when its guard kills, and when other nodes take its jobs.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options {
  /** After how long without an answer a node lets go of its jobs by itself. 5 seconds by default. */
  readonly lease?: Duration.DurationInput | undefined
  /** After how long without a heartbeat the guard kills what is left. 6 seconds by default. */
  readonly silence?: Duration.DurationInput | undefined
  /** After how long other nodes take its jobs. 10 seconds by default. */
  readonly lock?: Duration.DurationInput | undefined
}

/** How long the guard may take to kill. */
const killTime = Duration.seconds(1)

/**
 * Starts a guard; dies unless lease, silence and lock follow each other, with a second between the last two in which processes end.
 *
 * @since 0.2.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<GuardProcess.Service, GuardNotStarted, Scope.Scope> =>
  Effect.gen(function* () {
    const lease = Duration.decode(options.lease ?? "5 seconds")
    const silence = Duration.decode(options.silence ?? "6 seconds")
    const lock = Duration.decode(options.lock ?? "10 seconds")
    if (Duration.lessThanOrEqualTo(silence, lease) || Duration.lessThan(lock, Duration.sum(silence, killTime))) {
      const found = [lease, silence, lock].map((duration) => Duration.format(duration)).join(", ")
      return yield* Effect.dieMessage(
        `the lease has to be shorter than the silence of the guard, and that a second shorter than the lock; they are ${found}`
      )
    }
    if ((yield* ProcessTableRef)._tag === "None") {
      yield* Effect.logWarning("there is no /proc: processes of jobs that outlive this node cannot be found and killed")
    }
    return yield* GuardProcess.make(Duration.toMillis(silence))
  })

/**
 * The guard of this node. It guards the child processes of everything that is built on this layer.
 *
 * @since 0.2.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Guard, GuardNotStarted> =>
  Layer.scopedContext(
    Effect.map(make(options), (guard) => Context.make(Guard, guard).pipe(Context.add(TreeGuard.TreeGuard, guard)))
  )
