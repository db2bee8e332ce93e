/**
 * The used heap without garbage. Needs `--expose-gc`.
 */
import { Effect } from "effect"

export const heap: Effect.Effect<number> = Effect.gen(function* () {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    yield* Effect.sleep("50 millis")
  }
  return process.memoryUsage().heapUsed
})
