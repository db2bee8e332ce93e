import { expect } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Effect } from "effect"
import { kind } from "../runs.js"

/**
 * What is read once runs have become due: PostgreSQL hands keys on, and reads groups again, after the commit of what has changed
 * them.
 */
export const eventually = <A>(effect: Effect.Effect<A, unknown, RunStore.RunStore>, expected: A) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const { due } = yield* store.waiting(kind)
    for (;;) {
      const version = yield* due.version
      const value = yield* effect
      if (JSON.stringify(value) === JSON.stringify(expected)) return expect(value).toEqual(expected)
      yield* due.changed(version)
    }
  })
