/** The span of a job and its logs. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { DateTime, Effect, Exit, HashMap, Layer, Logger, Option, Stream, TestClock, Tracer } from "effect"
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
        spanId: (begun.length + 1).toString(16).padStart(16, "0"),
        traceId: Option.match(parent, {
          onNone: () => (begun.length + 1).toString(16).padStart(32, "0"),
          onSome: ({ traceId }) => traceId
        }),
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

const idsOf = ({ spanId, traceId }: Tracer.AnySpan) => ({ spanId, traceId })

const external = Tracer.externalSpan({ traceId: "a".repeat(32), spanId: "b".repeat(16) })

describe("the trace of a job", () => {
  it.effect("goes on in later attempts, also of another manager, and stays linked to the request", () => {
    const { begun, layer } = tracing()
    const jobs = () => begun.filter(({ name }) => name === "job").map(({ span }) => span)
    const Parking = Orchestrator.layer((job) =>
      job.attempt < 3 ? job.park({ reason: "waits", signal: "go" }) : Effect.void
    )
    const Manager = () => JobManager.layer().pipe(Layer.provide(Parking))
    return Effect.gen(function* () {
      const id = yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* Effect.withParentSpan(manager.start(config), external)
        const parked = Stream.filter(manager.events(id), ({ type }) => type === "job.parked")
        yield* Stream.runDrain(Stream.take(parked, 1))
        yield* manager.signal(id, "go")
        yield* Stream.runDrain(Stream.take(parked, 2))
        return id
      }).pipe(Effect.provide(Manager()))
      const store = yield* RunStore.RunStore
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        yield* manager.signal(id, "go")
        yield* manager.await(id)
      }).pipe(Effect.provide(Manager()))

      const [first, ...later] = jobs()
      expect(first?.parent).toEqual(Option.none())
      expect(later).toHaveLength(2)
      for (const span of later) expect(Option.map(span.parent, idsOf)).toEqual(Option.some(first && idsOf(first)))
      for (const { links } of jobs()) expect(links.map(({ span }) => idsOf(span))).toEqual([idsOf(external)])
      expect(jobs().map(({ attributes }) => attributes.get("attempt"))).toEqual([1, 2, 3])
      expect((yield* Effect.flatten(store.get(id))).trace).toEqual({
        root: `00-${first?.traceId}-${first?.spanId}-01`,
        startedBy: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`
      })
    }).pipe(Effect.provide(Layer.merge(RunStore.layerMemory, layer)))
  })

  it.effect("begins with its first attempt, linked to the request that queued it", () => {
    const { begun, layer } = tracing()
    const Waiting = Orchestrator.layer(() => Effect.void)
    const manager = JobManager.layer().pipe(Layer.provide(Waiting), Layer.provideMerge(RunStore.layerMemory))
    return Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const store = yield* RunStore.RunStore
      const startAt = DateTime.unsafeMake(60_000)
      const id = yield* Effect.withParentSpan(manager.start(config, { startAt }), external)
      const trace = Effect.map(Effect.flatten(store.get(id)), ({ trace }) => trace)
      expect(yield* trace).toEqual({ startedBy: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` })
      yield* TestClock.adjust("1 minute")
      yield* manager.await(id)
      const span = begun.find(({ name }) => name === "job")?.span
      expect(span?.parent).toEqual(Option.none())
      expect(span?.links.map(({ span }) => idsOf(span))).toEqual([idsOf(external)])
      expect((yield* trace)?.root).toBe(`00-${span?.traceId}-${span?.spanId}-01`)
    }).pipe(Effect.provide(Layer.provideMerge(manager, layer)))
  })

  it.effect("is not recorded where no tracer is installed, whatever span is around the start", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.JobManager
      const id = yield* Effect.withSpan(manager.start(config), "around")
      expect(yield* manager.await(id)).not.toHaveProperty("trace")
      expect(yield* Effect.flatMap(RunStore.RunStore, ({ get }) => Effect.flatten(get(id)))).not.toHaveProperty("trace")
    }).pipe(
      Effect.provide(
        JobManager.layer().pipe(
          Layer.provide(Orchestrator.layer(() => Effect.void)),
          Layer.provideMerge(RunStore.layerMemory)
        )
      )
    )
  )
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
