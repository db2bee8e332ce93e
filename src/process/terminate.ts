/**
 * The end of a process tree: a request, the time to heed it, force, and then looking until nothing is left.
 */
import { Duration, Effect, Fiber } from "effect"
import { RealClock } from "../internal/RealClock.js"
import * as runningTime from "../internal/runningTime.js"
import type { ProcessTree } from "./ProcessTree.js"

/**
 * Returns when nothing is left, however long that takes. Can be interrupted while it waits, and begun anew.
 *
 * `settle` is how long what is left may take to end unasked, `grace` how long after it was asked; neither counts any more
 * once somebody is in a hurry. `graceOver` ends the grace earlier.
 */
export const terminate = (
  tree: ProcessTree,
  {
    grace,
    graceOver,
    isHurried,
    settle
  }: {
    readonly settle: Duration.Duration
    readonly grace: Duration.Duration
    readonly graceOver?: Effect.Effect<void> | undefined
    readonly isHurried: () => boolean
  }
): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (yield* isEmptyWithin(tree, settle, { isHurried })) return
    // What is stopped hears of it only when it goes on.
    tree.sweep("SIGTERM", "SIGCONT")
    if (
      yield* withGraceOver(graceOver, (isOver) =>
        isEmptyWithin(tree, grace, { isHurried: () => isHurried() || isOver() })
      )
    )
      return
    yield* kill(tree)
  })

/**
 * Runs `use` with whether the grace is over. A daemon waits for that: the fibers that another one has forked are interrupted with
 * it, also where it cannot be interrupted itself.
 */
const withGraceOver = <A>(
  graceOver: Effect.Effect<void> = Effect.never,
  use: (isOver: () => boolean) => Effect.Effect<A>
) =>
  Effect.suspend(() => {
    let isOver = false
    const wait = Effect.zipRight(
      graceOver,
      Effect.sync(() => {
        isOver = true
      })
    )
    return Effect.acquireUseRelease(
      Effect.forkDaemon(Effect.interruptible(wait)),
      () => use(() => isOver),
      (waiting) => Fiber.interrupt(waiting)
    )
  })

/** Kills all of it; returns when nothing is left. */
export const kill = (tree: ProcessTree): Effect.Effect<void> =>
  isEmptyWithin(tree, Duration.seconds(1), { signals: ["SIGKILL"] }).pipe(
    Effect.tap((isEmpty) => {
      const pids = isEmpty ? [] : tree.sweep("SIGKILL").found.map(({ pid }) => pid)
      return pids.length === 0
        ? Effect.void
        : Effect.logWarning(`these processes do not die of SIGKILL and are waited for: ${pids.join(", ")}`)
    }),
    Effect.repeat({ until: (isEmpty) => isEmpty }),
    Effect.asVoid
  )

/** The longest pause between two looks, in milliseconds. */
const longestPause = 50

/** So many looks in a row that find nothing are enough, although processes of others come and go in each of them. */
const enough = 5

const isEmptyWithin = (
  tree: ProcessTree,
  time: Duration.Duration,
  options: { readonly signals?: ReadonlyArray<NodeJS.Signals>; readonly isHurried?: () => boolean }
) =>
  Effect.gen(function* () {
    const { isHurried = () => false, signals = [] } = options
    const { now, sleep } = yield* RealClock
    let left = Duration.toMillis(time)
    let seenAt = yield* now
    let empty = 0
    for (let pause = 1; ; pause = Math.min(pause * 2, longestPause)) {
      const { found, isComplete, isPopulated } = signals.length === 0 ? tree.look() : tree.sweep(...signals)
      empty = found.length === 0 && !isPopulated ? empty + 1 : 0
      if (empty === enough || (empty > 0 && isComplete)) return true
      if (empty === 1) pause = 1
      const before = seenAt
      seenAt = yield* now
      left -= runningTime.counted(before, seenAt, longestPause)
      if (left <= 0 || isHurried()) return false
      yield* sleep(Math.min(pause, left))
    }
  })
