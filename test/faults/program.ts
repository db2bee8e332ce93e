/**
 * A manager in a child process. Arguments: a scenario, a database file, and for `full` a file whose removal frees space. It
 * prints one line of JSON per message, synchronously.
 */
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, Fiber, Layer, Logger, Stream } from "effect"
import { rmSync, writeSync } from "node:fs"
import * as Audit from "../../src/store/Audit.js"
import { config } from "../support/jobs.js"
import type { Message } from "./Child.js"

const [scenario = "", filename = "", room = ""] = process.argv.slice(2)

const report = (message: Message) => Effect.sync(() => void writeSync(1, `${JSON.stringify(message)}\n`))

/** Repeats the effect until its result satisfies the predicate. */
const until = <A, E, R>(effect: Effect.Effect<A, E, R>, isDone: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(effect, 5), { until: isDone })

/** Starts and completes jobs, one after another, and reports each acknowledgement. */
const acknowledge = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
  for (let n = 1; n <= 20; n++) {
    const id = yield* manager.start(config)
    yield* report({ tag: "acknowledged", what: `start ${n}` })
    yield* send(id, Step.emit({ type: "step" }), Step.succeed(n))
    yield* manager.await(id)
    yield* report({ tag: "acknowledged", what: `end ${n}` })
  }
})

/** Fills the disk with events of a job, frees space, and reports what was recorded. */
const full = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
  const id = yield* manager.start(config)
  let emitted = 0
  let isOver = false
  yield* send(
    id,
    (job) =>
      Effect.suspend(() => Effect.as(job.emit({ type: "step", payload: { n: ++emitted } }), undefined)).pipe(
        Effect.repeat({ until: () => isOver })
      ),
    Step.succeed("done")
  )
  const { unrecorded } = yield* until(manager.health, ({ healthy }) => !healthy)
  isOver = true
  const refused = yield* Effect.either(manager.start({ ...config, tasksDir: "x".repeat(100_000) }))
  yield* report({
    tag: "full",
    reasons: unrecorded.map(({ error }) => error.reason),
    refused: refused._tag === "Left" && refused.left._tag === "StoreError" ? refused.left.reason : refused._tag
  })
  yield* Effect.sync(() => rmSync(room))
  const { status } = yield* manager.await(id)
  const recorded = yield* manager.events(id).pipe(
    Stream.filter(({ type }) => type === "step"),
    Stream.runCount
  )
  const { violations } = yield* Audit.run()
  yield* report({ tag: "recorded", status, emitted, recorded, violations: violations.length })
})

/** Runs jobs that emit continuously, until the process is stopped. */
const work = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
  const ids = yield* Effect.replicateEffect(manager.start(config), 3)
  const step: Step.Step = (job) =>
    Effect.forever(Effect.zipRight(job.emit({ type: "step" }), Effect.sleep(5))).pipe(Effect.asVoid)
  yield* Effect.forEach(ids, (id) => send(id, step))
  yield* report({ tag: "working", ids })
  return yield* Effect.never
})

const scenarios: Record<string, typeof acknowledge | typeof full> = { acknowledge, full, work }

const fiber = Effect.runFork(
  (scenarios[scenario] ?? Effect.dieMessage(`unknown scenario ${scenario}`)).pipe(
    Effect.provide(
      JobManager.layer().pipe(
        Layer.provideMerge(Layer.merge(RunStore.layer, ScriptedOrchestrator.layer())),
        Layer.provideMerge(Database.layer({ filename }))
      )
    ),
    Effect.catchAllCause((cause) => Effect.logError(cause)),
    Effect.provide(
      Logger.replace(
        Logger.defaultLogger,
        Logger.stringLogger.pipe(Logger.map((line) => void writeSync(2, `${line}\n`)))
      )
    )
  )
)

process.once("SIGTERM", () => Effect.runFork(Fiber.interruptFork(fiber)))
