/**
 * Jobs of the application whose attempts fail, or exceed their time limit, and are retried.
 */
import { JobKind } from "charlotte"
import { Effect, Schema } from "effect"
import { Said, say } from "./Said.js"

/** What ends the attempts before the one that succeeds. */
export const Manners = Schema.Array(Schema.Literal("dies", "fails", "hangs"))

/** The kind of the error with which such an attempt ends. */
export const kinds = { dies: "defect", fails: "failure", hangs: "timeout" } as const

export const times = 3

export class Effort extends JobKind.Tag<Effort>()("effort", {
  config: Schema.Struct({ manners: Manners }),
  error: Schema.String,
  events: { "effort.begun": Schema.Struct({ attempt: Schema.Int }) }
}) {}

export const layer = Effort.layer({
  maxJobs: 3,
  retry: { times, defects: true, delay: () => "30 millis" },
  timeout: "300 millis",
  run: ({ attempt, config: { manners }, emit, flush, id, tries }) =>
    Effect.gen(function* () {
      say(Said.Began({ id, attempt, tries }))
      yield* emit({ type: "effort.begun", payload: { attempt } })
      yield* flush
      switch (manners[tries]) {
        case "dies":
          return yield* Effect.dieMessage("it is one that dies")
        case "fails":
          return yield* Effect.fail("it is one that fails")
        case "hangs":
          return yield* Effect.never
      }
    })
})
