import { expect, it } from "@effect/vitest"
import { Effect, Ref, Stream } from "effect"
import { recordingNotices } from "../../../src/cli/run/recordingNotices.js"
import { StoreError } from "../../../src/domain/errors.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import { id } from "../../store/runs.js"

const unrecorded = (reason: StoreError["reason"]) => ({
  healthy: false,
  unrecorded: [
    { jobId: id(1), error: new StoreError({ operation: "append events", reason, cause: new Error("no\x07 space") }) }
  ]
})
const healthy = { healthy: true, unrecorded: [] }

it.effect("a job that cannot be recorded is reported once, and again when it is recorded", () =>
  Effect.gen(function* () {
    const seen = [healthy, unrecorded("full"), unrecorded("busy"), healthy, healthy, unrecorded("full")]
    const next = yield* Ref.make(0)
    const health = Effect.flatMap(
      Ref.getAndUpdate(next, (at) => at + 1),
      (at) => Effect.fromNullable(seen[at])
    )
    const clock = yield* RealClock
    const notices = recordingNotices(Effect.orElse(health, () => Effect.interrupt)).pipe(
      Stream.take(3),
      Stream.runCollect,
      Effect.provideService(RealClock, { ...clock, sleep: () => Effect.void })
    )
    expect([...(yield* notices)]).toEqual([
      "the job cannot be recorded, and waits until it can: store: append events failed (full): no space",
      "the job is recorded again",
      "the job cannot be recorded, and waits until it can: store: append events failed (full): no space"
    ])
  })
)
