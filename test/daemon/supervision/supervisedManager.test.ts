/** The streams of a daemon's manager while its database cannot be reached. */
import { expect, it } from "@effect/vitest"
import { JobEvent, JobManager, Orchestrator, RunStore } from "charlotte"
import { StoreError } from "charlotte/errors"
import { Clock, DateTime, Deferred, Effect, Layer, Scheduler, Stream } from "effect"
import * as supervisedManager from "../../../src/daemon/supervision/supervisedManager.js"
import { unknownId } from "../../support/jobs.js"

const unreachable = new StoreError({ operation: "read", reason: "unreachable", cause: new Error("nothing answers") })

const event = (cursor: number) =>
  new JobEvent.JobEvent({ jobId: unknownId, seq: cursor, cursor, at: DateTime.unsafeMake(0), type: "step" })

/** Time passes at once. */
const hurried = Object.assign(Clock.make(), { sleep: () => Effect.yieldNow() })

/** Counts the steps of fibers. */
const counting = () => {
  const counter = { steps: 0 }
  const scheduler: Scheduler.Scheduler = {
    scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority),
    shouldYield: (fiber) => {
      counter.steps += 1
      return Scheduler.defaultScheduler.shouldYield(fiber)
    }
  }
  return { counter, scheduler }
}

/** The steps that 100 events take after so many failures. */
const stepsAfter = (failures: number) =>
  Effect.gen(function* () {
    const real = yield* JobManager.JobManager
    let left = failures
    const allEvents = () =>
      Stream.suspend(() => {
        left -= 1
        if (left >= 0) return Stream.fail(unreachable)
        return Stream.rechunk(Stream.map(Stream.range(1, 101), event), 1)
      })
    const current = Effect.succeedSome({ manager: { ...real, allEvents }, lost: yield* Deferred.make<void>() })
    const supervised = supervisedManager.make({ latestCursor: Effect.succeed(0), current, next: current })
    const { counter, scheduler } = counting()
    let start = 0
    yield* supervised.allEvents().pipe(
      Stream.runForEach(({ cursor }) =>
        Effect.sync(() => {
          if (cursor === 1) start = counter.steps
        })
      ),
      Effect.withScheduler(scheduler),
      Effect.withClock(hurried)
    )
    return counter.steps - start
  })

it.scoped("reading an event costs the same, however often the database could not be reached before", () =>
  Effect.gen(function* () {
    const first = yield* stepsAfter(0)
    expect(yield* stepsAfter(200)).toBeLessThan(1.1 * first)
  }).pipe(
    Effect.provide(
      JobManager.layer().pipe(
        Layer.provide(Orchestrator.layer(() => Effect.void)),
        Layer.provideMerge(RunStore.layerMemory)
      )
    )
  )
)
