/**
 * Keeps the metrics of the server: counts events as they are committed, and reads the rest whenever the metrics are read.
 */
import { Context, DateTime, Duration, Effect, Layer, Option, Schedule, Schema, type Scope, Stream } from "effect"
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"
import type { StoreError } from "../../domain/errors.js"
import { type JobEvent, lifecycle } from "../../domain/JobEvent.js"
import type { Run } from "../../domain/Run.js"
import { isTerminal, type RunStatus } from "../../domain/RunStatus.js"
import { RealClock } from "../../internal/RealClock.js"
import type { Reads } from "../../store/Runs.js"
import { TurnClass } from "../../tasks/agents/TurnEnd.js"
import * as instruments from "./instruments.js"
import { Managers } from "./Managers.js"
import { OpenStreams } from "./OpenStreams.js"

/** Milliseconds after which metrics that are exported are read again; undefined where none are exported. */
export class RefreshInterval extends Context.Reference<RefreshInterval>()("charlotte/http/RefreshInterval", {
  defaultValue: (): number | undefined => undefined
}) {}

const timed =
  ({ record }: typeof instruments.startSeconds) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.map(Effect.timed(effect), ([duration, value]) => {
      record(Duration.toSeconds(duration))
      return value
    })

export const start = timed(instruments.startSeconds)
export const stop = timed(instruments.stopSeconds)

export class Metrics extends Context.Tag("charlotte/http/Metrics")<
  Metrics,
  { readonly text: Effect.Effect<string, StoreError> }
>() {}

const outcomes = ["completed", "failed", "cancelled"] as const satisfies ReadonlyArray<RunStatus>

/** As the semantic conventions name it. */
const resultOf = ({ error, status }: Run): string =>
  status === "completed"
    ? "success"
    : status === "cancelled"
      ? "cancellation"
      : error?.kind === "failure"
        ? "failure"
        : "error"

/** Enough to find the start among the first events of a job, before which there are at most signals. */
const firstEvents = 100

const countRun = (store: Reads, run: Run) =>
  Effect.gen(function* () {
    const { createdAt, endedAt = createdAt, error, id, kind, status } = run
    const name = { "cicd.pipeline.name": kind }
    if (status === "failed") instruments.runErrors.add({ ...name, "error.type": error?.kind ?? "failure" }, 1)
    const page = yield* store.events({ kind, jobId: id, after: 0, limit: firstEvents })
    const events = Option.match(page, { onNone: () => [], onSome: ({ events }) => events })
    const began = events.find(({ type }) => type === "job.started")?.at ?? run.startedAt
    const record = (state: string, from: DateTime.Utc, to: DateTime.Utc) =>
      instruments.runDuration.record(Duration.toSeconds(DateTime.distanceDuration(from, to)), {
        ...name,
        "cicd.pipeline.run.state": state,
        "cicd.pipeline.result": resultOf(run)
      })
    record("pending", createdAt, began ?? endedAt)
    if (began !== undefined) record("executing", began, endedAt)
  })

/** How a turn of an agent may end. An orchestrator of the application may emit anything. */
const turnClass = Schema.is(Schema.Struct({ class: TurnClass }))

const count = (store: Reads, { jobId, payload, type }: JobEvent): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    instruments.events.add({}, 1)
    if (type === "job.started") instruments.started.add({}, 1)
    if (type === "task.agent.ended" && turnClass(payload)) instruments.turns.add({ class: payload.class }, 1)
    const known = Object.entries(lifecycle).find(([name]) => name === type)
    const isEnd = known !== undefined && isTerminal(known[1])
    if (!isEnd && type !== "task.gate.failed") return
    const run = yield* store.get(jobId)
    if (Option.isNone(run)) return
    if (!isEnd) return instruments.runErrors.add({ "cicd.pipeline.name": run.value.kind, "error.type": "gate" }, 1)
    instruments.ended.add({ status: known[1] }, 1)
    yield* countRun(store, run.value)
  })

/** Sampling interval in milliseconds. */
const resolution = 10

const loopDelay: Effect.Effect<IntervalHistogram, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const histogram = monitorEventLoopDelay({ resolution })
    histogram.enable()
    return histogram
  }),
  (histogram) => Effect.sync(() => histogram.disable())
)

/** Delay in seconds, from a measured interval in nanoseconds. */
const toDelay = (nanos: number): number => (Number.isFinite(nanos) ? Math.max(0, nanos / 1e9 - resolution / 1e3) : 0)

const make = (options: { readonly maxJobs?: number | undefined }) =>
  Effect.gen(function* () {
    const managers = yield* Managers
    const { store } = managers
    const allEvents = managers.events(managers.all)
    const streams = yield* OpenStreams
    const delay = yield* loopDelay

    instruments.started.add({}, 0)
    instruments.events.add({}, 0)
    for (const status of outcomes) instruments.ended.add({ status }, 0)
    instruments.startSeconds.show()
    instruments.stopSeconds.show()

    let after: number | "latest" = yield* Effect.orElseSucceed(store.latestCursor, () => "latest" as const)
    const counted = (event: JobEvent) => {
      after = event.cursor
      return count(store, event)
    }
    /** What was committed while the server closed. */
    const rest = Effect.suspend(() => {
      const from = after
      return typeof from === "string"
        ? Effect.void
        : Effect.forEach(managers.all, ({ kind }) =>
            Effect.flatMap(store.allEvents({ kind, after: from, limit: 1_000 }), ({ events }) =>
              Effect.forEach(events, counted)
            )
          )
    })
    yield* Effect.addFinalizer(() => Effect.ignore(rest))
    yield* Stream.suspend(() => allEvents(after)).pipe(
      Stream.runForEach(counted),
      Effect.tapErrorCause((cause) => Effect.logWarning("counting events failed, retrying", cause)),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.annotateLogs("module", "Metrics"),
      Effect.forkScoped
    )

    const lag = Effect.gen(function* () {
      const latest = yield* store.latestCursor
      const behind = (yield* streams.all).map(({ cursor, isCurrent }) =>
        isCurrent || cursor === undefined ? 0 : latest - cursor
      )
      return Math.max(0, ...behind)
    })

    /** Reads what is no counter, and then all of them: nothing comes between what is set and what is read. */
    const read = <A>(use: () => A): Effect.Effect<A, StoreError> =>
      Effect.gen(function* () {
        const kinds = yield* Effect.forEach(managers.all, ({ kind, manager }) =>
          Effect.all({ kind: Effect.succeed(kind), active: manager.activeCount, pending: store.pending(kind) })
        )
        const [open, behind] = yield* Effect.all([streams.all, lag])
        const active = kinds.reduce((sum, kind) => sum + kind.active, 0)
        return yield* Effect.sync(() => {
          instruments.active.set(active)
          instruments.streams.set(open.length)
          instruments.streamLag.set(behind)
          for (const { active, kind, pending } of kinds) {
            const of = (state: string) => ({ "cicd.pipeline.name": kind, "cicd.pipeline.run.state": state })
            instruments.queueDepth.set(pending, { kind })
            instruments.runActive.set(pending, of("pending"))
            instruments.runActive.set(active, of("executing"))
          }
          instruments.workerCount.set(active, { "cicd.worker.state": "busy" })
          if (options.maxJobs !== undefined) {
            instruments.limit.set(options.maxJobs)
            instruments.workerCount.set(Math.max(0, options.maxJobs - active), { "cicd.worker.state": "available" })
          }
          const delays = { max: toDelay(delay.max), mean: toDelay(delay.mean), p99: toDelay(delay.percentile(99)) }
          for (const [of, value] of Object.entries(delays)) instruments.loopDelay.set(value, { of })
          delay.reset()
          return use()
        })
      })

    const interval = yield* RefreshInterval
    if (interval !== undefined) {
      const { sleep } = yield* RealClock
      const refresh = Effect.catchAllCause(
        read(() => undefined),
        (cause) => Effect.logWarning("reading metrics failed", cause)
      )
      // Half of it, so that what is exported is at most so old.
      yield* Effect.forkScoped(Effect.forever(Effect.zipRight(refresh, sleep(interval / 2))))
      yield* Effect.addFinalizer(() => refresh)
    }
    return { text: read(instruments.text) }
  })

export const layer = (options: { readonly maxJobs?: number | undefined }) => Layer.scoped(Metrics, make(options))
