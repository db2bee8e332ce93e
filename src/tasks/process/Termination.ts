/**
 * The end of a process tree: a request, the time to heed it, force, and then looking until nothing is left.
 */
import { Duration, Effect } from "effect"
import { WallClock } from "../../store/WallClock.js"
import type { ProcessTree } from "./ProcessTree.js"

/**
 * Returns when nothing is left, however long that takes. Can be interrupted while it waits, and begun anew.
 *
 * `settle` is how long what is left may take to end unasked, `grace` how long after it was asked.
 */
export const terminate = (
  tree: ProcessTree,
  { grace, settle }: { readonly settle: Duration.Duration; readonly grace: Duration.Duration }
): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (yield* isEmptyWithin(tree, settle)) return
    // What is stopped hears of it only when it goes on.
    tree.sweep("SIGTERM", "SIGCONT")
    if (yield* isEmptyWithin(tree, grace)) return
    yield* kill(tree)
  })

/** Kills all of it; returns when nothing is left. */
export const kill = (tree: ProcessTree): Effect.Effect<void> =>
  isEmptyWithin(tree, Duration.seconds(1), "SIGKILL").pipe(
    Effect.tap((isEmpty) =>
      isEmpty
        ? Effect.void
        : Effect.logWarning(`processes that do not die of SIGKILL are waited for: ${tree.sweep("SIGKILL").join(", ")}`)
    ),
    Effect.repeat({ until: (isEmpty) => isEmpty }),
    Effect.asVoid
  )

/** The longest pause between two looks, in milliseconds. */
const longestPause = 50

const isEmptyWithin = (tree: ProcessTree, time: Duration.Duration, ...signals: ReadonlyArray<NodeJS.Signals>) =>
  Effect.gen(function* () {
    const { now, sleep } = yield* WallClock
    const deadline = (yield* now) + Duration.toMillis(time)
    for (let pause = 1; ; pause = Math.min(pause * 2, longestPause)) {
      if (isEmpty(tree, signals)) {
        // A process in the middle of an exec has no environment for a moment, and one that forks may slip past a look.
        yield* sleep(2)
        if (isEmpty(tree, signals)) return true
      }
      const left = deadline - (yield* now)
      if (left <= 0) return false
      yield* sleep(Math.min(pause, left))
    }
  })

const isEmpty = (tree: ProcessTree, signals: ReadonlyArray<NodeJS.Signals>) =>
  signals.length === 0 ? tree.isEmpty() : tree.sweep(...signals).length === 0
