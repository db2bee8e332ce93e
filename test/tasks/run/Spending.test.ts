/** What the turns of a job cost, and the limits of that. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, type Run, RunStore } from "charlotte"
import { Effect, Fiber, Stream, TestClock } from "effect"
import type { Cost, SpendingLimits } from "../../../src/domain/Cost.js"
import { limitsSignal } from "../../../src/domain/Run.js"
import * as Permits from "../../../src/internal/Permits.js"
import * as costs from "../../../src/progress/cost.js"
import * as JobModel from "../../../src/progress/JobModel.js"
import { ofEvents } from "../../../src/progress/applyEvent.js"
import * as payload from "../../../src/progress/payload.js"
import * as Spending from "../../../src/tasks/run/Spending.js"
import { at, id } from "../../store/runs.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, repository, run, task, unit, untilClosed } from "../Jobs.js"
import * as Life from "./Life.js"
import * as Metered from "./Metered.js"
import { refusal } from "./Scenes.js"
import * as Witness from "./Witness.js"

const gate = "test -e done.txt"

const one = (settings = "") => ({ "01-a.md": task(1, "true", gate), "charlotte.yaml": `attempts: 4\n${settings}` })

const many = (units: number, settings: string) => ({
  ...Object.fromEntries(
    Array.from({ length: units }, (_, at) => `unit-${at + 1}`).flatMap((name) => [
      [`${name}/IMPLEMENTATION_PLAN.md`, unit()],
      [`${name}/01-a.md`, task(1, "true", gate)]
    ])
  ),
  "charlotte.yaml": `attempts: 9\n${settings}`
})

/** The cost of a job, by its records. */
const recorded = (id: Run.Run["id"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    return costs.sum((yield* store.work.of(id)).tasks.map(({ cost }) => cost)) ?? costs.nothing
  })

const becomes = (id: Run.Run["id"], status: Run.Run["status"]) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    return yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
      until: (run) => run.status === status
    })
  })

const tokens = ({ cached, input, output }: Cost) => ({ cached, input, output })

const usd = ({ usd = 0 }: Cost): number => usd

/** The totals of the events are the same. */
const sameInEvents = ({ events, work }: Effect.Effect.Success<ReturnType<typeof ended>>) => {
  const model = ofEvents(events.map((event) => ({ ...event, at: event.at.epochMillis })))
  expect(JobModel.tasks(model).map(({ cost }) => cost)).toEqual(work.tasks.map(({ cost }) => cost))
}

/** Takes its time to record a turn that begins, so that others end in between. */
const slowToBegin = (store: RunStore.Service): RunStore.Service => ({
  ...store,
  work: {
    ...store.work,
    task: (changed) =>
      changed.task.turn === undefined ? store.work.task(changed) : Effect.delay(store.work.task(changed), "300 millis")
  }
})

const agents = [
  ["Claude Code 2.1.276", { version: "2.1.276" }],
  ["Claude Code 2.1.278", { version: "2.1.278" }],
  ["Codex", { format: "codex-json" }]
] as const

describe("the cost of a job is what was drawn", () => {
  for (const [name, options] of agents) {
    it.scopedLive(`by ${name} in turns that resume each other`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, one())
        Metered.install(world.root, ["idle", "idle", "done"])
        const job = yield* Effect.provide(
          run({ ...config, agent: "metered" }),
          charlotte(world, { profiles: [Metered.profile(world.root, options)] })
        )
        expect(job.run.status).toBe("completed")
        const [done] = job.work.tasks
        expect([done?.failures, done?.calls, done?.turn]).toEqual([2, 3, undefined])
        const all = done?.cost ?? costs.nothing
        expect(tokens(all)).toEqual(tokens(Metered.drawn(world.root)))
        expect(usd(all)).toBe(usd(Metered.drawn(world.root)))
        sameInEvents(job)
      })
    )

    it.scopedLive(`by ${name} in turns of which one was cut off with its manager`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, one())
        Metered.install(world.root, ["idle", "hang", "done"])
        const layer = charlotte(world, { profiles: [Metered.profile(world.root, options)] })
        const { close, context } = yield* untilClosed(layer)
        const id = yield* Effect.provide(
          Effect.flatMap(JobManager.JobManager, (manager) => manager.start({ ...config, agent: "metered" })),
          context
        )
        yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => Metered.hasBegun(world.root, 2) })
        yield* close
        const job = yield* Effect.provide(ended(id), layer)
        expect(job.run.status).toBe("completed")
        const all = job.work.tasks[0]?.cost ?? costs.nothing
        expect(tokens(all)).toEqual(tokens(Metered.drawn(world.root)))
        expect(usd(all)).toBe(usd(Metered.drawn(world.root)))
        sameInEvents(job)
      })
    )

    it.scopedLive(
      `by ${name} in turns of which two were cut off with their manager by kill -9`,
      () =>
        Effect.gen(function* () {
          const world = yield* Witness.world
          const program = yield* Life.program
          const { config } = yield* Witness.job(world, one(), 1)
          Metered.install(world.root, ["idle", "hang", "hang", "done"])
          Metered.configure(world.root, options)
          for (const number of [2, 3]) {
            const life = yield* Life.begin(program, world, number === 2 ? { ...config, agent: "metered" } : undefined)
            yield* life.until(
              Effect.repeat(Effect.sleep("10 millis"), { until: () => Metered.hasBegun(world.root, number) })
            )
            yield* life.kill
          }
          const job = yield* Effect.provide(
            Effect.flatMap(Witness.latest, ({ id }) => ended(id)),
            Witness.manager(world, { profiles: [Metered.profile(world.root, options)] })
          )
          expect(job.run.status).toBe("completed")
          const all = job.work.tasks[0]?.cost ?? costs.nothing
          expect(tokens(all)).toEqual(tokens(Metered.drawn(world.root)))
          expect(usd(all)).toBe(usd(Metered.drawn(world.root)))
        }).pipe(Effect.scoped),
      180_000
    )
  }

  it.scopedLive(
    "by the turns of a job that is not continued, since each of them was cut off with its manager by kill -9",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const program = yield* Life.program
        const { config } = yield* Witness.job(world, one(), 1)
        Metered.install(world.root, ["hang", "hang", "hang"])
        Metered.configure(world.root, {})
        for (const number of [1, 2, 3]) {
          const life = yield* Life.begin(program, world, number === 1 ? { ...config, agent: "metered" } : undefined)
          yield* life.until(
            Effect.repeat(Effect.sleep("10 millis"), { until: () => Metered.hasBegun(world.root, number) })
          )
          yield* life.kill
        }
        const job = yield* Effect.provide(
          Effect.flatMap(Witness.latest, ({ id }) => ended(id)),
          Witness.manager(world, { profiles: [Metered.profile(world.root)] })
        )
        expect(job.run.error?.error).toContain("its manager died 3 times in a row")
        const [task] = job.work.tasks
        expect([task?.turn, tokens(task?.cost ?? costs.nothing)]).toEqual([
          undefined,
          tokens(Metered.drawn(world.root))
        ])
        sameInEvents(job)
      }).pipe(Effect.scoped),
    180_000
  )

  it.scopedLive("by a retry, with that of the session that it resumes left to the job before", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, { ...one(), "charlotte.yaml": "attempts: 1\n" })
      Metered.install(world.root, ["idle", "done"])
      yield* Effect.gen(function* () {
        const first = yield* run({ ...config, agent: "metered" })
        const second = yield* run({ ...config, agent: "metered", retryOf: first.id })
        expect([first.run.status, second.run.status]).toEqual(["failed", "completed"])
        const [a, b] = [yield* recorded(first.id), yield* recorded(second.id)]
        expect(costs.add(a, b)).toEqual(Metered.drawn(world.root))
      }).pipe(Effect.provide(charlotte(world, { profiles: [Metered.profile(world.root)] })))
    })
  )
})

describe("a job that has spent as much as it may", () => {
  for (const [limits, spent, raised] of [
    ["usd: 0.3", "$0.30", { usd: 5 }],
    ["tokens: 2k", "$0.30, 3.3k tokens", { tokens: 1_000_000 }]
  ] as const)
    it.scopedLive(`parks with that, and continues with a new total (${limits})`, () =>
      Effect.gen(function* () {
        const world = yield* Repository.sandbox
        const { config } = yield* repository(world, one(`limits: { ${limits} }\n`))
        Metered.install(world.root, ["idle", "idle", "idle", "done"])
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const store = yield* RunStore.RunStore
          const id = yield* manager.start({ ...config, agent: "metered" })
          const parked = yield* becomes(id, "parked")
          expect(parked.parked).toMatchObject({ signal: "charlotte.resume", limits: expect.anything() })
          expect(parked.parked?.reason).toContain(`it has spent ${spent}`)
          expect(parked.parked?.reason).toContain(`charlotte resume ${id} --`)
          const [before] = (yield* store.work.of(id)).tasks
          expect([before?.state, before?.failures, before?.calls]).toEqual(["running", 2, 2])
          // Without a new total, it parks again without a turn.
          yield* manager.resume(id)
          yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.flatten(store.get(id))), {
            until: ({ attempt, status }) => attempt === 2 && status === "parked"
          })
          expect((yield* store.work.of(id)).tasks[0]?.calls).toBe(2)
          yield* manager.signal(id, limitsSignal, raised, { by: "ada", isReserved: true })
          yield* manager.resume(id)
          const job = yield* ended(id)
          expect([job.run.status, job.work.tasks[0]?.failures]).toEqual(["completed", 3])
          expect(job.events.find(({ type }) => type === "job.signalled")?.payload).toMatchObject({ by: "ada" })
        }).pipe(Effect.provide(charlotte(world, { profiles: [Metered.profile(world.root)] })))
      })
    )

  for (const [limits, isOver] of [
    ["{ usd: 2 }", (cost: Cost) => usd(cost) >= 2],
    ["{ tokens: 20k }", (cost: Cost) => costs.tokens(cost) >= 20_000]
  ] as const)
    it.scopedLive(
      `begins no turn at or above ${limits} with 12 units side by side`,
      () =>
        Effect.gen(function* () {
          const world = yield* Repository.sandbox
          const { config } = yield* repository(world, many(12, `limits: ${limits}\n`))
          Metered.install(world.root, ["idle", "idle", "idle", "idle", "idle", "idle"])
          yield* Effect.gen(function* () {
            const manager = yield* JobManager.JobManager
            const id = yield* manager.start({ ...config, agent: "metered", concurrency: 12 })
            yield* becomes(id, "parked")
            const events = yield* Stream.runCollect(
              Stream.takeUntil(manager.events(id), ({ type }) => type === "job.parked")
            )
            let spent: Cost = costs.nothing
            let turns = 0
            let begunOver = 0
            for (const { payload: data, type } of events) {
              if (type === "task.agent.started") {
                turns += 1
                if (isOver(spent)) begunOver += 1
              }
              const cost = type === "task.spent" ? costs.read(payload.json(data, "cost")) : undefined
              if (cost !== undefined) spent = costs.add(spent, cost)
            }
            expect([begunOver, isOver(spent)]).toEqual([0, true])
            expect(turns).toBeGreaterThanOrEqual(12)
            expect(spent).toEqual(Metered.drawn(world.root))
            expect(yield* recorded(id)).toEqual(spent)
          }).pipe(Effect.provide(charlotte(world, { profiles: [Metered.profile(world.root)], store: slowToBegin })))
        }),
      180_000
    )
})

describe("what a job may spend", () => {
  const spent = (cost: Cost, limits: SpendingLimits) => ({
    progress: { cost: () => cost },
    spending: { limits, step: Permits.make(1) }
  })

  it("is what a person has set last, of money and of tokens each", () => {
    const set = (seq: number, payload: unknown, name = limitsSignal) => ({
      seq,
      name,
      payload,
      at: at(seq),
      attempt: 1,
      used: false
    })
    const planned = { usd: 1, tokens: 100 }
    expect(Spending.limits(planned, [])).toEqual(planned)
    const signals = [set(1, { usd: 2 }), set(2, { usd: 3 }), set(3, { usd: 9 }, "other"), set(4, { tokens: 200 })]
    expect(Spending.limits(planned, signals)).toEqual({ usd: 3, tokens: 200 })
  })

  it("is shown with all limits that are reached once it parks, not only with the first", () => {
    const ctx = spent({ ...costs.nothing, input: 2_000, usd: 3 }, { usd: 2, tokens: 1_000 })
    const options = { reason: "at its limit", signal: "charlotte.resume" }
    const parked = Spending.parked({ job: { id: id(1) }, ...ctx }, { ...options, limits: { usd: 2 } })
    expect(parked.limits).toEqual({ usd: 2, tokens: 1_000 })
    expect(parked.reason).toContain("--usd 4 --tokens 2000")
    expect(Spending.parked({ job: { id: id(1) }, ...ctx }, options)).toEqual(options)
  })

  it.effect("is looked at in one step with the begin of a turn, during which no other turn is counted", () =>
    Effect.gen(function* () {
      const { spending } = spent(costs.nothing, { usd: 1 })
      let cost = costs.nothing
      const ctx = { spending, progress: { cost: () => cost } }
      const count = (usd: number) => spending.step(Effect.sync(() => (cost = { ...cost, usd })))
      const [begins, begun] = [yield* Effect.makeLatch(), yield* Effect.makeLatch()]
      const turn = yield* Effect.fork(Spending.begin(ctx, Effect.zipRight(begins.open, begun.await)))
      yield* begins.await
      const counting = yield* Effect.fork(count(1))
      const next = yield* Effect.fork(Effect.flip(Spending.begin(ctx, Effect.void)))
      yield* TestClock.adjust(0)
      expect(cost).toEqual(costs.nothing)
      yield* begun.open
      yield* Fiber.join(turn)
      yield* Fiber.join(counting)
      expect(yield* Fiber.join(next)).toMatchObject({ _tag: "BudgetReached", limits: { usd: 1 } })
    })
  )
})

describe("a turn that reaches the agent's own budget", () => {
  it.scopedLive("uses no attempt: the job parks, and continues its session once a person resumes it", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one("agent: [metered, script]\n"))
      Metered.install(world.root, ["budget", "done"])
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        const id = yield* manager.start({ ...config, agent: "metered" })
        const parked = yield* becomes(id, "parked")
        expect(parked.parked?.reason).toContain("Reached maximum budget ($1)")
        yield* manager.resume(id)
        const job = yield* ended(id)
        expect([job.run.status, job.work.tasks[0]?.failures, job.work.tasks[0]?.calls]).toEqual(["completed", 0, 2])
        expect(job.work.tasks[0]?.cost).toEqual(Metered.drawn(world.root))
      }).pipe(Effect.provide(charlotte(world, { profiles: [Metered.profile(world.root)] })))
    })
  )
})

describe("a plan that limits what its job may spend", () => {
  const refused = (limits: string, options: Parameters<typeof Metered.profile>[1]) =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one(`limits: ${limits}\n`))
      const error = yield* refusal(run({ ...config, agent: "metered" })).pipe(
        Effect.provide(charlotte(world, { profiles: [Metered.profile(world.root, options)] }))
      )
      return error.message
    })

  it.scopedLive("in money is refused with an agent that reports none and has no prices", () =>
    Effect.gen(function* () {
      expect(yield* refused("{ usd: 5 }", { format: "codex-json" })).toContain(
        "tasks/charlotte.yaml: limits.usd: metered reports no money: set agents.metered.prices in config.yaml"
      )
    })
  )

  it.scopedLive("is refused with an agent that reports nothing", () =>
    Effect.gen(function* () {
      for (const limits of ["usd: 5", "tokens: 5M"])
        expect(yield* refused(`{ ${limits} }`, { format: "text" })).toContain(
          "metered reports neither money nor tokens"
        )
    })
  )

  it.scopedLive("counts the money of an agent with prices", () =>
    Effect.gen(function* () {
      const world = yield* Repository.sandbox
      const { config } = yield* repository(world, one("limits: { usd: 5 }\n"))
      Metered.install(world.root, ["done"])
      const prices = { input: 1_000, cached: 100, output: 10_000 }
      const job = yield* Effect.provide(
        run({ ...config, agent: "metered" }),
        charlotte(world, { profiles: [Metered.profile(world.root, { format: "codex-json", prices })] })
      )
      const { cached, input, output } = Metered.drawn(world.root)
      expect(job.work.tasks[0]?.cost).toEqual({
        cached,
        input,
        output,
        usd: (input * 1_000 + cached * 100 + output * 10_000) / 1e6
      })
    })
  )
})
