/**
 * The guard of a node: a small process in a separate session, which kills all child processes of jobs when the node is gone, or has
 * been without its lease for a while, for example because it is suspended. Only clusters use it.
 *
 * A guard that ends is replaced at once, and the new guard gets all processes to guard; meanwhile no process is started. The jobs
 * continue: their node is alive, and ending them would make two failures of one.
 *
 * @since 0.2.0
 */
import { Context, Duration, Effect, Layer, type Scope } from "effect"
import { ProcessTableRef } from "../../process/ProcessTable.js"
import * as TreeGuard from "../../process/TreeGuard.js"
import type { GuardNotStarted } from "./Connection.js"
import * as GuardProcess from "./GuardProcess.js"
import * as timing from "../../internal/timing.js"

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
 * How long a node lives without a response of the database, and when its guard kills.
 *
 * @since 0.2.0
 * @category options
 */
export interface Options {
  /** The time without a response after which a node releases its jobs by itself. 5 seconds by default. */
  readonly lease?: Duration.DurationInput | undefined
  /** The time without a heartbeat after which the guard kills what is left. 6 seconds by default. */
  readonly silence?: Duration.DurationInput | undefined
}

/** Leaves the guard time to kill before other nodes take the jobs. */
const longestSilence = Duration.millis(timing.deadAfter - timing.killTime)

/**
 * Starts a guard; dies unless the lease ends before the silence, and the silence a second before other nodes take the jobs, so that
 * processes have ended by then.
 *
 * @since 0.2.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<GuardProcess.Service, GuardNotStarted, Scope.Scope> =>
  Effect.gen(function* () {
    const lease = Duration.decode(options.lease ?? timing.lease)
    const silence = Duration.decode(options.silence ?? timing.guardSilence)
    if (Duration.lessThanOrEqualTo(silence, lease) || Duration.greaterThan(silence, longestSilence)) {
      return yield* Effect.dieMessage(
        `the silence of the guard has to be longer than the lease, and at most ${Duration.format(longestSilence)}, since other nodes ` +
          `take the jobs after ${Duration.format(timing.deadAfter)}; the lease is ${Duration.format(lease)}, the silence ${Duration.format(silence)}`
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
