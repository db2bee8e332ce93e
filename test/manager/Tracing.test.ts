/** The span of a job and its logs. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { Effect, Exit, HashMap, Layer, Logger, Option, Tracer } from "effect"
import { config } from "../support/jobs.js"

interface Begun {
  readonly name: string
  readonly span: Tracer.Span
  readonly root: boolean | undefined
}

/** A tracer that keeps the spans which are begun. */
const tracing = () => {
  const begun: Array<Begun> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind, options) => {
      const attributes = new Map<string, unknown>(Object.entries(options?.attributes ?? {}))
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: `span ${begun.length}`,
        traceId: Option.match(parent, { onNone: () => `trace ${begun.length}`, onSome: ({ traceId }) => traceId }),
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links: [...links],
        sampled: true,
        kind,
        end: () => {},
        attribute: (key, value) => void attributes.set(key, value),
        event: () => {},
        addLinks: () => {}
      }
      begun.push({ name, span, root: options?.root })
      return span
    },
    context: (execute) => execute()
  })
  return { begun, layer: Layer.setTracer(tracer) }
}

describe("the span of a job", () => {
  it.effect("is a root of its own, linked to that of its start, and none of those around", () => {
    const { begun, layer } = tracing()
    const spanOf = (name: string) => begun.find((other) => other.name === name)?.span
    const Spanning = Orchestrator.layer(() => Effect.withSpan(Effect.void, "of the orchestrator"))
    const manager = JobManager.layer().pipe(
      Layer.provide(Layer.merge(Spanning, RunStore.layerMemory)),
      Layer.withSpan("around the manager")
    )
    return Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      yield* manager.await(id)
      const job = spanOf("job")
      const start = spanOf("JobManager.start")
      expect(job?.parent).toEqual(Option.none())
      expect(job?.links.map(({ span }) => span.spanId)).toEqual([start?.spanId])
      expect(job?.attributes.get("jobId")).toBe(id)
      expect(start?.parent).toMatchObject({ value: { name: "around the start" } })
      // What the orchestrator does is in the trace of the job.
      expect(spanOf("of the orchestrator")?.parent).toMatchObject({ value: { spanId: job?.spanId } })
      for (const name of ["around the manager", "around the start"]) {
        expect(spanOf(name)?.traceId).not.toBe(job?.traceId)
      }
    }).pipe(Effect.withSpan("around the start"), Effect.provide(Layer.provideMerge(manager, layer)))
  })
})

describe("the logs of a job", () => {
  it.effect("carry its id: those of its work, its children and its finalizers", () => {
    const logged: Array<readonly [message: string, jobId: unknown]> = []
    const logger = Logger.make(({ annotations, message }) => {
      logged.push([String(message), Option.getOrUndefined(HashMap.get(annotations, "jobId"))])
    })
    const Logging = Orchestrator.layer(() =>
      Effect.gen(function* () {
        yield* Effect.addFinalizer(() => Effect.log("finalizer"))
        yield* Effect.log("work")
        yield* Effect.flatMap(Effect.fork(Effect.log("child")), (child) => child.await)
      })
    )
    return Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* manager.start(config)
      expect(Exit.isSuccess(yield* Effect.exit(manager.await(id)))).toBe(true)
      expect(logged).toEqual(["work", "child", "finalizer"].map((message) => [message, id]))
    }).pipe(
      Effect.provide(
        JobManager.layer().pipe(
          Layer.provide([Logging, RunStore.layerMemory]),
          Layer.provideMerge(Logger.replace(Logger.defaultLogger, logger))
        )
      )
    )
  })
})
