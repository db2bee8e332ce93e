/**
 * Ends a process tree: SIGTERM, a grace period, SIGKILL, and then polling until nothing is left.
 */
import { Duration, Effect, Fiber } from "effect"
import { RealClock } from "../internal/RealClock.js"
import * as runningTime from "../internal/runningTime.js"
import type { ProcessTree } from "./ProcessTree.js"

/**
 * Returns when nothing is left, however long that takes. Can be interrupted while it waits, and called again.
 *
 * `settle` is how long the remaining processes may take to end by themselves, `grace` how long after SIGTERM; `isHurried` cancels
 * both. `graceOver` ends the grace period earlier.
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
    // A stopped process handles SIGTERM only once it continues.
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
 * Runs `use`, which can check whether the grace period is over. A daemon fiber waits for that: a child fiber would be interrupted
 * together with its parent, even while the parent is uninterruptible.
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

/** Kills the whole tree; returns when nothing is left. */
export const kill = (tree: ProcessTree): Effect.Effect<void> =>
  isEmptyWithin(tree, Duration.seconds(1), { signals: ["SIGKILL"] }).pipe(
    Effect.tap((isEmpty) => {
      const pids = isEmpty ? [] : tree.sweep("SIGKILL").found.map(({ pid }) => pid)
      return pids.length === 0
        ? Effect.void
        : Effect.logWarning(`waiting for processes that have survived SIGKILL: ${pids.join(", ")}`)
    }),
    Effect.repeat({ until: (isEmpty) => isEmpty }),
    Effect.asVoid
  )

/** The longest pause between two scans, in milliseconds. */
const longestPause = 50

/** This many empty scans in a row are enough, even if other processes came and went during each of them. */
const requiredEmptyScans = 5

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
      const { found, isComplete, isPopulated } = signals.length === 0 ? tree.scan() : tree.sweep(...signals)
      empty = found.length === 0 && !isPopulated ? empty + 1 : 0
      if (empty === requiredEmptyScans || (empty > 0 && isComplete)) return true
      if (empty === 1) pause = 1
      const before = seenAt
      seenAt = yield* now
      left -= runningTime.counted(before, seenAt, longestPause)
      if (left <= 0 || isHurried()) return false
      yield* sleep(Math.min(pause, left))
    }
  })
