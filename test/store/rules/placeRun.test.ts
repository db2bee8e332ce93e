import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { placeAttempt } from "../../../src/store/rules/placeRun.js"

/** Three nodes, of which the first has the version of the node that places the attempt. */
const candidates = [
  { address: "own", capacity: 4, isOtherVersion: false },
  { address: "other", capacity: 9, isOtherVersion: true },
  { address: "more", capacity: 10, isOtherVersion: true }
] as const

const placed = (running: { readonly [address: string]: number }) =>
  placeAttempt(candidates, {
    ...{ kind: "email", isPaused: false, maxJobs: 100, due: new Map(), alive: new Set(), draining: new Set() },
    running: new Map(Object.entries(running))
  }).pipe(Effect.map(({ address }) => address))

describe("the node on which an attempt is placed", () => {
  it.effect("has the same version of the kind while such a node has room, and otherwise most room", () =>
    Effect.gen(function* () {
      expect(yield* placed({})).toBe("own")
      expect(yield* placed({ own: 3 })).toBe("own")
      expect(yield* placed({ own: 4 })).toBe("more")
      expect(yield* placed({ own: 4, more: 2 })).toBe("other")
    })
  )
})
