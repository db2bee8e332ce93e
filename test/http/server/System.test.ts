import { describe, expect, it } from "@effect/vitest"
import { JobEvent, JobId, RunStore } from "charlotte"
import { Step } from "charlotte/testing"
import { Context, DateTime, Deferred, Duration, Effect, Fiber, Option, Stream } from "effect"
import { ulid } from "ulid"
import { AgentLimit } from "../../../src/domain/AgentLimit.js"
import * as Activity from "../../../src/http/server/Activity.js"
import { Histogram } from "../../../src/http/server/Histogram.js"
import { config } from "../../support/jobs.js"
import * as World from "../world.js"

const agents = Effect.succeed([
  { name: "claude", installed: true },
  { name: "script", installed: false }
])

describe("GET /system", () => {
  it.scopedLive("tells how busy the server is, and what has ended", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ maxJobs: 2 })
      const { bySocket } = world
      const { send } = World.script(world)
      expect(yield* bySocket.system).toMatchObject({ capacity: 2, active: 0, pending: 0, parked: 0 })
      expect(yield* bySocket.system).not.toHaveProperty("oldestPending")

      const parked = yield* bySocket.start(config)
      yield* send(parked, Step.park({ reason: "waits", signal: "go" }))
      yield* Effect.repeat(bySocket.get(parked), { until: ({ status }) => status === "parked" })
      const done = yield* bySocket.start(config)
      yield* send(done, Step.succeed(1))
      yield* Stream.runDrain(bySocket.events(done))
      yield* Effect.replicateEffect(bySocket.start(config), 2)
      const pending = yield* bySocket.start(config, { whenFull: "queue" })
      const busy = yield* Effect.repeat(bySocket.system, {
        until: ({ minutes }) => minutes.reduce((sum, { completed }) => sum + completed, 0) === 1
      })
      expect(busy).toMatchObject({ capacity: 2, active: 2, pending: 1, parked: 1 })
      expect(busy.oldestPending).toBeGreaterThanOrEqual(0)
      expect(busy.minutes).toHaveLength(60)
      expect(busy.duration?.max).toBeGreaterThanOrEqual(0)
      expect(busy.wait?.p50).toBeLessThanOrEqual(busy.wait?.max ?? NaN)
      yield* bySocket.stop(pending)
      expect(yield* bySocket.system).toMatchObject({ active: 2, pending: 0 })
    })
  )

  it.scopedLive("lists the jobs that have not ended within their grace", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { bySocket } = world
      const free = yield* Deferred.make<void>()
      const id = yield* bySocket.start(config)
      yield* World.script(world).send(id, () => Effect.uninterruptible(Deferred.await(free)))
      expect(yield* bySocket.system).not.toHaveProperty("overdue")
      const stop = yield* Effect.fork(Effect.exit(bySocket.stop(id, { grace: 0 })))
      const { overdue } = yield* Effect.repeat(bySocket.system, { until: ({ overdue }) => overdue !== undefined })
      expect(overdue).toEqual([id])
      yield* Deferred.succeed(free, undefined)
      yield* Fiber.join(stop)
      yield* Stream.runDrain(bySocket.events(id))
      yield* Effect.repeat(bySocket.system, { until: ({ overdue }) => overdue === undefined })
    })
  )
})

describe("GET /agents", () => {
  it.scopedLive("lists the agents with their turns at work and the limits that have not reset", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ agents })
      const { bySocket } = world
      const { send } = World.script(world)
      const { agentLimits } = Context.get(world.services, RunStore.RunStore)
      const id = yield* bySocket.start(config)
      const turn = (type: string, task: number, payload: unknown) => Step.emit({ type, unit: "a", task, payload })
      yield* send(
        id,
        turn("task.agent.started", 1, { agent: "claude", log: "1" }),
        turn("task.agent.started", 2, { agent: "claude", log: "2" }),
        turn("task.agent.ended", 1, { log: { file: "1", from: 0, to: 0 } })
      )
      const until = DateTime.addDuration(yield* DateTime.now, "1 hour")
      const record = (until: DateTime.Utc) =>
        agentLimits.record({
          jobId: id,
          attempt: 1,
          limit: new AgentLimit({ agent: "claude", reason: "usage limit reached", since: until, until, refusals: 0 })
        })
      yield* record(until)
      const found = yield* Effect.repeat(bySocket.agents, { until: ([claude]) => claude?.inUse === 1 })
      expect(found).toEqual([
        { name: "claude", installed: true, inUse: 1, limit: { reason: "usage limit reached", until, refusals: 0 } },
        { name: "script", installed: false, inUse: 0 }
      ])
      yield* record(DateTime.subtractDuration(until, "2 hours"))
      yield* bySocket.stop(id)
      const over = yield* Effect.repeat(bySocket.agents, { until: ([claude]) => claude?.inUse === 0 })
      expect(over[0]).toEqual({ name: "claude", installed: true, inUse: 0 })
    })
  )

  it.scopedLive("is empty where the server has none", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      expect(yield* world.send({ path: "/api/v1/agents" })).toMatchObject({ status: 200, json: [] })
    })
  )
})

describe("what is counted of the last hour", () => {
  const start = DateTime.unsafeMake("2026-01-31T12:00:00Z")
  const later = (millis: number) => DateTime.addDuration(start, millis)
  const minute = 60_000
  const idAt = (millis: number) => JobId.make(ulid(DateTime.toEpochMillis(later(millis))))
  const event = (jobId: JobId.JobId, millis: number, type: string, more: Partial<JobEvent.JobEvent> = {}) =>
    new JobEvent.JobEvent({ jobId, seq: 1, cursor: 1, at: later(millis), type, ...more })

  it("is what ended in each minute, how long jobs waited and how long their last attempt took", () => {
    const activity = Activity.make(start)
    const [first, second] = [idAt(0), idAt(1_000)]
    activity.record(event(first, 2_000, "job.started"))
    activity.record(event(second, 11_000, "job.started"))
    activity.record(event(first, 20_000, "job.parked"))
    activity.record(event(first, 50_000, "job.resumed"))
    activity.record(event(first, 51_000, "job.failed"))
    activity.record(event(second, minute + 11_000, "job.completed"))
    const [before, last] = activity.minutes(Activity.minuteOf(later(minute))).slice(-2)
    expect(before).toMatchObject({ completed: 0, failed: 1, cancelled: 0 })
    expect(last).toMatchObject({ completed: 1, failed: 0, cancelled: 0 })
    const minutes = activity.minutes(Activity.minuteOf(later(minute)))
    expect(Option.getOrThrow(Activity.merged(minutes, "waits"))).toMatchObject({ max: 10_000 })
    expect(Option.getOrThrow(Activity.merged(minutes, "durations"))).toMatchObject({ max: 60_000 })
    expect(Option.getOrThrow(Histogram.quantiles([before?.durations ?? new Histogram()])).max).toBe(1_000)
  })

  it("is forgotten after an hour", () => {
    const activity = Activity.make(start)
    const id = idAt(0)
    activity.record(event(id, 0, "job.resumed"))
    activity.record(event(id, 0, "job.cancelled"))
    const sum = (at: number) =>
      activity.minutes(Activity.minuteOf(later(at))).reduce((sum, { cancelled }) => sum + cancelled, 0)
    expect([sum(0), sum(59 * minute), sum(60 * minute)]).toEqual([1, 1, 0])
  })

  it("has quantiles to within 5 % of the exact ones, whatever the times", () => {
    const histogram = new Histogram()
    const times = Array.from({ length: 10_000 }, (_, i) => 1 + ((i * 7_919) % 10_000) ** 2 / 100)
    for (const time of times) histogram.add(time)
    const sorted = times.toSorted((a, b) => a - b)
    const { max, p50, p95 } = Option.getOrThrow(Histogram.quantiles([histogram]))
    expect(Math.abs(p50 / (sorted[4_999] ?? 0) - 1)).toBeLessThan(0.05)
    expect(Math.abs(p95 / (sorted[9_499] ?? 0) - 1)).toBeLessThan(0.05)
    expect(max).toBe(sorted.at(-1))
    expect(Histogram.quantiles([])).toEqual(Option.none())
  })
})

describe("/subscribers", () => {
  it.scopedLive("lists the subscribers, retries what they have put aside, and removes one that no process runs", () =>
    Effect.gen(function* () {
      const world = yield* World.make({})
      const { bySocket } = world
      const { subscribers } = Context.get(world.services, RunStore.RunStore)
      const at = yield* DateTime.now
      for (const name of ["invoices", "email.on-end"]) {
        yield* subscribers.register({ name, kinds: ["tasks"], from: "start", hold: Duration.days(7), at })
      }
      const jobId = yield* bySocket.start(config)
      yield* subscribers.failed({ name: "invoices", jobId, cursor: 1, at, error: "Error: no" })
      yield* subscribers.putAside({ name: "invoices", cursor: 1 })
      expect(yield* bySocket.subscribers).toMatchObject([
        { name: "email.on-end", aside: 0, undelivered: [] },
        { name: "invoices", kinds: ["tasks"], aside: 1, undelivered: [{ jobId, cursor: 1, error: "Error: no" }] }
      ])
      const metrics = (yield* world.send({ path: "/metrics" })).text
      expect(metrics).toContain('charlotte_subscriber_undelivered_events{subscriber="invoices",state="aside"} 1')
      expect(metrics).toMatch(/charlotte_subscriber_lag_events\{subscriber="invoices"\} [1-9]/)

      expect(yield* bySocket.retrySubscriber("invoices")).toBe(1)
      expect(yield* bySocket.retrySubscriber("invoices")).toBe(0)
      const missing = { _tag: "SubscriberNotFound", subscriber: "x" }
      expect(yield* Effect.flip(bySocket.retrySubscriber("x"))).toMatchObject(missing)
      expect(yield* Effect.flip(bySocket.removeSubscriber("x"))).toMatchObject(missing)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* subscribers.tryLock("invoices")
          const inUse = yield* Effect.flip(bySocket.removeSubscriber("invoices"))
          expect(inUse).toMatchObject({ _tag: "SubscriberInUse", subscriber: "invoices" })
        })
      )
      yield* bySocket.removeSubscriber("invoices")
      expect(yield* bySocket.subscribers).toMatchObject([{ name: "email.on-end" }])
    })
  )
})

describe("/schedules", () => {
  it.scopedLive("lists the schedules with their next tick, runs, pauses, unpauses and removes one", () =>
    Effect.gen(function* () {
      const world = yield* World.make({})
      const { bySocket } = world
      const { schedules } = Context.get(world.services, RunStore.RunStore)
      const definition = JSON.stringify({ cron: "0 2 * * *", timeZone: "UTC", missed: "once", overlap: "skip" })
      yield* schedules.register({ kind: "tasks", name: "nightly", definition, at: yield* DateTime.now })
      const [nightly] = yield* bySocket.schedules
      expect(nightly).toMatchObject({ kind: "tasks", name: "nightly", cron: "0 2 * * *", isLive: false, skipped: 0 })
      expect(nightly?.nextTick && DateTime.formatIso(nightly.nextTick)).toContain("T02:00:00.000Z")
      const metrics = (yield* world.send({ path: "/metrics" })).text
      expect(metrics).toContain('charlotte_schedule_skipped_ticks{kind="tasks",schedule="nightly"} 0')
      expect(metrics).toContain('charlotte_schedule_overdue_seconds{kind="tasks",schedule="nightly"} 0')

      const refusal = { kind: "tasks", schedule: "nightly" }
      expect(yield* Effect.flip(bySocket.runSchedule("tasks", "nightly"))).toMatchObject({
        _tag: "ScheduleNotLive",
        ...refusal
      })
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* schedules.serve({ kind: "tasks", name: "nightly" }, (by) => Effect.succeed(JobId.make(by ?? "")))
          const id = ulid()
          expect(yield* bySocket.runSchedule("tasks", "nightly", { by: id })).toBe(id)
        })
      )
      yield* bySocket.pauseSchedule("tasks", "nightly", { by: "ann" })
      const [paused] = yield* bySocket.schedules
      expect(paused).toMatchObject({ pausedBy: "ann" })
      expect(paused).not.toHaveProperty("nextTick")
      yield* bySocket.unpauseSchedule("tasks", "nightly")
      yield* bySocket.removeSchedule("tasks", "nightly", { by: "ann" })
      expect(yield* bySocket.schedules).toEqual([])
      for (const refused of [
        Effect.asVoid(bySocket.runSchedule("tasks", "nightly")),
        bySocket.pauseSchedule("tasks", "nightly"),
        bySocket.unpauseSchedule("tasks", "nightly"),
        bySocket.removeSchedule("tasks", "nightly")
      ]) {
        expect(yield* Effect.flip(refused)).toMatchObject({ _tag: "ScheduleNotFound", ...refusal })
      }
    })
  )
})
