import { describe, expect, it } from "@effect/vitest"
import { DateTime, Deferred, Duration, Effect, Fiber } from "effect"
import { LockOwner } from "../../../src/daemon/home/LockOwner.js"
import type { JobId } from "../../../src/domain/JobId.js"
import { StopReport } from "../../../src/domain/StopReport.js"
import * as JobClient from "../../../src/http/client/JobClient.js"
import * as slowResponseNotice from "../../../src/cli/target/slowResponseNotice.js"
import { RealClock } from "../../../src/internal/RealClock.js"
import { id } from "../../store/runs.js"
import * as Capture from "../Capture.js"

const holder = new LockOwner({
  what: "daemon",
  version: "0.1.0",
  since: DateTime.unsafeMake("2026-11-25T20:00:00Z"),
  process: { pid: 7, bootId: "b", startTime: "1", pidNamespace: "p" },
  file: "none"
})

const report = (jobId: JobId) =>
  new StopReport({ jobId, status: "cancelled", mode: "graceful", elapsed: Duration.millis(1) })

/** A client that answers a stop when it is told to, in a time that is over when it is told so. */
const make = (isTerminal: boolean) =>
  Effect.gen(function* () {
    const capture = Capture.make({ isTerminal })
    const [answer, over, asleep] = yield* Effect.all([
      Deferred.make<StopReport>(),
      Deferred.make<void>(),
      Deferred.make<number>()
    ])
    const clock = {
      ...(yield* RealClock),
      sleep: (millis: number) => Effect.zipRight(Deferred.succeed(asleep, millis), Deferred.await(over))
    }
    const plain = yield* JobClient.make({ socket: "/nowhere" })
    const client = yield* Effect.provide(
      slowResponseNotice.withNotice({ ...plain, stop: () => Deferred.await(answer) }, holder),
      capture.layer
    )
    const stop = yield* Effect.fork(Effect.provideService(client.stop(id(1)), RealClock, clock))
    return { answer, asleep, capture, over, stop }
  })

describe("slow response notice", () => {
  it.scoped("names the daemon on a terminal, and the response still arrives", () =>
    Effect.gen(function* () {
      const { answer, asleep, capture, over, stop } = yield* make(true)
      expect(yield* Deferred.await(asleep)).toBe(10_000)
      expect(capture.err()).toBe("")
      yield* Deferred.succeed(over, undefined)
      while (capture.err() === "") yield* Effect.yieldNow()
      expect(capture.err()).toBe(
        "no response from charlotte daemon (pid 7, version 0.1.0) since 2026-11-25T20:00:00Z for 10 seconds; " +
          "Ctrl-C only ends the waiting\n"
      )
      yield* Deferred.succeed(answer, report(id(1)))
      expect((yield* Fiber.join(stop)).mode).toBe("graceful")
    })
  )

  it.scoped("is not shown if the response is fast", () =>
    Effect.gen(function* () {
      const { answer, asleep, capture, over, stop } = yield* make(true)
      yield* Deferred.await(asleep)
      yield* Deferred.succeed(answer, report(id(1)))
      yield* Fiber.join(stop)
      yield* Deferred.succeed(over, undefined)
      yield* Effect.yieldNow()
      expect(capture.err()).toBe("")
    })
  )

  it.scoped("is not shown in a pipe or with --json", () =>
    Effect.gen(function* () {
      const { answer, capture, over, stop } = yield* make(false)
      yield* Deferred.succeed(over, undefined)
      yield* Effect.yieldNow()
      yield* Deferred.succeed(answer, report(id(1)))
      yield* Fiber.join(stop)
      expect(capture.err()).toBe("")
    })
  )
})
