/**
 * Work that fails by itself. From then on the record has to say so, whatever comes after it.
 */
import { Cause, Effect, Fiber } from "effect"
import * as Children from "./Children.js"
import type { Life } from "./Life.js"
import type { Job, World } from "./World.js"
import type * as Random from "./Random.js"

/** In one of the ways in which work fails: at once, with a slow finalizer, or beside others that are interrupted then. */
export const fail = (
  world: World,
  life: Life,
  job: Job,
  random: Random.Random,
  cause: Cause.Cause<string>
): Effect.Effect<never, string> => {
  const way = random.weighted({ plain: 1, slowly: 2, together: 2 })
  // Nothing comes between the entry and the failure.
  const enter = Effect.zipRight(
    life.hasten,
    Effect.sync(() => {
      world.machine.trace.say(`${world.machine.nameOf(job.id)} fails, ${way}`)
      world.ledger.fail(life, job.id, job.attempt)
    })
  )
  const failing = Effect.uninterruptible(Effect.zipRight(enter, Effect.failCause(cause)))
  switch (way) {
    case "plain":
      return failing
    case "slowly":
      return Effect.ensuring(failing, Effect.sleep(random.between(0, 1_500)))
    case "together":
      // As `Effect.all` with a concurrency, which can hang in Effect 3.22 when it is interrupted.
      return Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const make = () => Children.make(world, life, job, random.fork(), { bounded: false })
          const one = yield* Effect.fork(Effect.interruptible(make()))
          const other = yield* Effect.fork(Effect.interruptible(make()))
          yield* restore(Effect.sleep(random.between(0, 300)))
          yield* enter
          yield* Fiber.interruptAll([one, other])
          const interrupted = Cause.interrupt(one.id())
          return yield* Effect.failCause(
            random.chance(0.5) ? Cause.parallel(cause, interrupted) : Cause.parallel(interrupted, cause)
          )
        })
      )
  }
}
