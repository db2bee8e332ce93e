/**
 * Closes a manager in steps: it takes no more jobs, then all jobs have ended or their deadline has passed, then the event
 * streams are drained.
 */
import { Deferred, Duration, Effect, Ref, type Scope } from "effect"
import { ShuttingDown } from "../../domain/errors.js"
import * as race from "../../internal/race.js"
import { makeNotifier } from "../../store/port/ChangeNotifier.js"
import { RealClock } from "../../internal/RealClock.js"

export interface Shutdown {
  /** Stops taking jobs. */
  readonly begin: Effect.Effect<void>
  readonly hasBegun: Effect.Effect<boolean>
  /** Fails once the shutdown has begun. */
  readonly refuse: Effect.Effect<void, ShuttingDown>
  /** Waits for `effect` up to a deadline; returns whether it completed in time. */
  readonly withinDeadline: (effect: Effect.Effect<void>, deadline: Duration.Duration) => Effect.Effect<boolean>
  /** Whether the deadline has passed: what is not written by then never will be. */
  readonly isOver: Effect.Effect<boolean>
  /** Waits for `effect`, or until the shutdown is over. */
  readonly orOver: (effect: Effect.Effect<void>) => Effect.Effect<void>
  /** Ends the shutdown, and gives the open streams a moment to read what was committed last. */
  readonly end: Effect.Effect<void>
  /** Registers an open stream until its scope closes. */
  readonly stream: Effect.Effect<void, never, Scope.Scope>
}

/** How long open streams may take to drain; a stream without a reader must not hold up the manager. */
const drainTime = Duration.seconds(1)

export const make: Effect.Effect<Shutdown> = Effect.gen(function* () {
  const begun = yield* Ref.make(false)
  const over = yield* Deferred.make<void>()
  const streams = yield* Ref.make(0)
  const streamEnded = makeNotifier()
  const wall = yield* RealClock

  const withinDeadline: Shutdown["withinDeadline"] = (effect, deadline) =>
    race.first([
      Effect.as(effect, true),
      // Either clock ends the wait: a `TestClock` may not advance, and the process has to end all the same.
      Effect.as(wall.sleep(Duration.toMillis(deadline)), false),
      Effect.as(Effect.sleep(deadline), false)
    ])

  const drained: Effect.Effect<void> = Effect.gen(function* () {
    while (true) {
      const version = yield* streamEnded.version
      if ((yield* Ref.get(streams)) === 0) return
      yield* streamEnded.changed(version)
    }
  })

  return {
    begin: Ref.set(begun, true),
    hasBegun: Ref.get(begun),
    refuse: Effect.flatMap(Ref.get(begun), (begun) => (begun ? new ShuttingDown() : Effect.void)),
    withinDeadline,
    isOver: Deferred.isDone(over),
    orOver: (effect) => race.first([effect, Deferred.await(over)]),
    end: Effect.zipRight(
      Deferred.succeed(over, undefined),
      race.first([drained, wall.sleep(Duration.toMillis(drainTime))])
    ),
    stream: Effect.acquireRelease(
      Ref.update(streams, (open) => open + 1),
      () =>
        Effect.zipRight(
          Ref.update(streams, (open) => open - 1),
          streamEnded.wake
        )
    )
  }
})
