import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Life from "./Life.js"
import { endure, phases } from "./Phases.js"
import * as Witness from "./Witness.js"

const kill =
  (program: string, { letGo }: { readonly letGo: boolean }) =>
  (...[world, { at }, config]: Parameters<Parameters<typeof endure>[2]>) =>
    Effect.gen(function* () {
      const life = yield* Life.begin(program, world, config)
      yield* Witness.reached(world, at)
      yield* life.kill
      if (letGo) yield* Witness.release(world)
    }).pipe(Effect.scoped)

describe("a job of tasks whose manager is killed in each of its phases", () => {
  it.scopedLive(
    "goes on each time, does no task and no merge twice, and comes out the same",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const program = yield* Life.program
        yield* endure(yield* Witness.job(world), phases, kill(program, { letGo: false }))
      }),
    180_000
  )
})
