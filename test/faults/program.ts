/**
 * A manager in a process of its own. Its arguments: an errand, a database file, and for `full` a file whose removal makes
 * room. What it tells, one line of JSON each, has left the process when it goes on.
 */
import { Database, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Effect, Fiber, Layer, Logger, Stream } from "effect"
import { rmSync, writeSync } from "node:fs"
import * as Audit from "../../src/store/Audit.js"
import { config } from "../support/jobs.js"
import type { Told } from "./Child.js"

const [errand = "", filename = "", room = ""] = process.argv.slice(2)

const tell = (told: Told) => Effect.sync(() => void writeSync(1, `${JSON.stringify(told)}\n`))

/** Looks until it is so. */
const until = <A, E, R>(effect: Effect.Effect<A, E, R>, isSo: (value: A) => boolean) =>
  Effect.repeat(Effect.delay(effect, 5), { until: isSo })

/** Starts and completes jobs, one after another, and says so after each answer. */
const acknowledge = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
  for (let n = 1; n <= 20; n++) {
    const id = yield* manager.start(config)
    yield* tell({ tag: "acknowledged", what: `start ${n}` })
    yield* send(id, Step.emit({ type: "step" }), Step.succeed(n))
    yield* manager.await(id)
    yield* tell({ tag: "acknowledged", what: `end ${n}` })
  }
})

/** Fills the disk with the events of a job, makes room when it is full, and looks at what has become of them. */
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
  const refused = yield* Effect.either(manager.start({ ...config, labels: { much: "x".repeat(100_000) } }))
  yield* tell({
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
  const { violations } = yield* Audit.look()
  yield* tell({ tag: "recorded", status, emitted, recorded, violations: violations.length })
})

/** Jobs that emit all the time, until the process is told to end. */
const work = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const { send } = yield* ScriptedOrchestrator.ScriptedOrchestrator
  const ids = yield* Effect.replicateEffect(manager.start(config), 3)
  const step: Step.Step = (job) =>
    Effect.forever(Effect.zipRight(job.emit({ type: "step" }), Effect.sleep(5))).pipe(Effect.asVoid)
  yield* Effect.forEach(ids, (id) => send(id, step))
  yield* tell({ tag: "working", ids })
  return yield* Effect.never
})

const errands: Record<string, typeof acknowledge | typeof full> = { acknowledge, full, work }

const fiber = Effect.runFork(
  (errands[errand] ?? Effect.dieMessage(`there is no errand ${errand}`)).pipe(
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
