/**
 * The `JobContext` that an orchestrator gets.
 */
import { type DateTime, Effect, Option, Ref, Schema } from "effect"
import { stringify } from "../../internal/Json.js"
import { EmittedEvent, emitProblem } from "../../domain/JobEvent.js"
import type { Run } from "../../domain/Run.js"
import type { KilledProcess } from "../../domain/StopReport.js"
import type { AnyJob } from "../Orchestrator.js"
import type { EmitBuffer } from "./EmitBuffer.js"
import type { Grace } from "./Grace.js"
import { sizeProblem } from "./maxBytes.js"

const isEmittable = Schema.is(EmittedEvent)

const heldGrace = Symbol("grace")

/** One getter for all jobs: a getter for each job would give each object a shape, which weighs 1 KB. */
const graceOfJob = {
  enumerable: true,
  get(this: { readonly [heldGrace]: Grace }) {
    return this[heldGrace].current()
  }
}

/** Limit on the processes in a report: a fork bomb must not fill it. */
const maxKilled = 100

export const jobContext = <Config>(options: {
  readonly run: Run
  readonly config: Config
  readonly submission: unknown
  /** The maximum size of the payload of an event. */
  readonly maxBytes: number
  readonly now: Effect.Effect<DateTime.Utc>
  readonly grace: Grace
  readonly events: EmitBuffer
  readonly killed: Ref.Ref<Option.Option<ReadonlyArray<KilledProcess>>>
  readonly park: AnyJob<Config>["park"]
  readonly fail: AnyJob<Config>["fail"]
  readonly cancel: AnyJob<Config>["cancel"]
  readonly stopping: AnyJob<Config>["stopping"]
  readonly signal: AnyJob<Config>["signal"]
  readonly steps: Pick<AnyJob<Config>, "step" | "stepKey">
  readonly progress: AnyJob<Config>["progress"]
  readonly child: AnyJob<Config>["child"]
}): AnyJob<Config> => {
  const { cancel, child, config, events, fail, grace, killed, park, progress: report, run } = options
  const { maxBytes, now, signal, steps, stopping, submission } = options
  const whileOpen = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.zipRight(events.whileOpen, effect)
  const recordKilled: AnyJob<Config>["killed"] = (processes) =>
    Ref.update(killed, (known) => Option.some([...Option.getOrElse(known, () => []), ...processes].slice(0, maxKilled)))
  const job: AnyJob<Config> & ThisParameterType<typeof graceOfJob.get> = {
    [heldGrace]: grace,
    grace: grace.current(),
    id: run.id,
    config,
    submission,
    attempt: run.attempt,
    tries: run.tries ?? 0,
    graceOver: grace.over,
    emit: (event) =>
      isEmittable(event)
        ? Effect.flatMap(now, (at) => {
            const { task, type, unit } = event
            const payload = event.payload === undefined ? undefined : stringify(event.payload)
            const tooLarge = payload === undefined ? undefined : sizeProblem(payload, maxBytes)
            return tooLarge === undefined
              ? events.offer({ at, type, unit, task, payload })
              : Effect.dieMessage(`the payload of event ${type} ${tooLarge}`)
          })
        : Effect.dieMessage(emitProblem(event)),
    flush: events.flush,
    park: (options) => whileOpen(park(options)),
    fail: (failure) => whileOpen(fail(failure)),
    cancel: whileOpen(cancel),
    stopping,
    signal,
    step: steps.step,
    stepKey: steps.stepKey,
    child,
    progress: (progress) => whileOpen(report(progress)),
    forced: Effect.suspend(() => recordKilled([])),
    killed: recordKilled
  }
  return Object.defineProperty(job, "grace", graceOfJob)
}
