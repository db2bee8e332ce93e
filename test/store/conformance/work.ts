import { describe, expect, it } from "@effect/vitest"
import { RunStore, Work } from "charlotte"
import { Effect, Exit, type Layer, Option } from "effect"
import { at, created, error, id } from "../runs.js"
import { planOf, task, unit } from "../work.js"

/** A unit and a task with all fields set. */
const wholeUnit = unit("b", 0, {
  dependsOn: ["a \"'", "ü\n"],
  state: "failed",
  base: "0123",
  commit: "4567",
  worktree: "/a/directory",
  reason: "its gate does not pass",
  startedAt: at(1),
  endedAt: at(2)
})
const wholeTask = task("b", 7, 0, {
  title: "A title",
  state: "failed",
  failures: 2,
  calls: 3,
  commit: "89ab",
  reason: "no",
  said: "It's done.",
  log: "/a/file",
  session: new Work.TaskSession({
    agent: "claude",
    directory: "/w",
    attempt: 2,
    log: "/a/file",
    id: 'it\'s "1"',
    total: { input: 3, cached: 2, output: 1, usd: 0.000001 }
  }),
  cost: { input: 1, cached: 2, output: 3, usd: 1.5, isApproximate: true },
  turn: { agent: "it's", log: "/a/file", total: { input: 0, cached: 0, output: 0 } },
  resolves: ["a.txt", 'it\'s "b"'],
  gateFailures: [new Work.GateFailure({ files: "8c1f", log: "/logs/it's one" })],
  notes: ["one", { _tag: "protected", files: ['it\'s "1"', "two"], patch: "/logs/1.patch" }],
  startedAt: at(3),
  endedAt: at(4)
})

const plan = new Work.Work({
  units: [unit("b", 0), unit("a", 1, { dependsOn: ["b"] })],
  tasks: [task("b", 7, 0), task("b", 2, 1), task("a", 1, 0)]
})

const planned = (n: number, work = plan) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* created(n)
    yield* store.work.plan({ jobId: id(n), attempt: 1, work })
    return store
  })

const nothing = new Work.Work({ units: [], tasks: [] })

export const work = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("work", () => {
    it.effect("is empty when nothing was planned", () =>
      Effect.gen(function* () {
        const { work } = yield* RunStore.RunStore
        yield* created(1)
        expect(yield* work.of(id(1))).toEqual(nothing)
        expect(yield* work.of(id(2))).toEqual(nothing)
      }).pipe(Effect.provide(layer))
    )

    it.effect("is ordered by position, regardless of names and insertion order", () =>
      Effect.gen(function* () {
        const shuffled = new Work.Work({ units: [...plan.units].reverse(), tasks: [...plan.tasks].reverse() })
        const { work } = yield* planned(1, shuffled)
        expect(yield* work.of(id(1))).toEqual(plan)
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps all fields of units and tasks", () =>
      Effect.gen(function* () {
        const whole = new Work.Work({ units: [wholeUnit], tasks: [wholeTask] })
        const { work } = yield* planned(1, whole)
        const kept = yield* work.of(id(1))
        expect(kept).toEqual(whole)
        expect(kept.units[0]).toBeInstanceOf(Work.UnitRecord)
        expect(kept.tasks[0]).toBeInstanceOf(Work.TaskRecord)
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps free text without NUL, which not every database can hold", () =>
      Effect.gen(function* () {
        const text = { title: "a\0b", reason: "its gate\0does not pass" }
        const store = yield* planned(
          1,
          new Work.Work({ units: [unit("b", 0, { reason: text.reason })], tasks: [task("b", 7, 0, text)] })
        )
        const kept = yield* store.work.of(id(1))
        expect(kept.units[0]).toMatchObject({ reason: "its gate\uFFFDdoes not pass" })
        expect(kept.tasks[0]).toMatchObject({ title: "a\uFFFDb", reason: "its gate\uFFFDdoes not pass" })
        yield* store.work.task({ jobId: id(1), attempt: 1, task: task("b", 7, 0, { title: "\0" }) })
        expect((yield* store.work.of(id(1))).tasks[0]).toMatchObject({ title: "\uFFFD" })
      }).pipe(Effect.provide(layer))
    )

    it.effect("is read together with the run, planned or not", () =>
      Effect.gen(function* () {
        const store = yield* planned(1, new Work.Work({ units: [wholeUnit], tasks: [wholeTask] }))
        yield* created(2)
        yield* store.record({ type: "job.failed", jobId: id(2), attempt: 1, at: at(9), error })
        for (const n of [1, 2]) {
          const [run, work] = [yield* store.get(id(n)), yield* store.work.of(id(n))]
          expect(yield* store.withWork(id(n))).toEqual(Option.map(run, (run) => ({ run, work })))
        }
        expect(yield* store.withWork(id(3))).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect("is planned once: a second plan changes nothing", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1)
        yield* work.unit({ jobId: id(1), attempt: 1, unit: unit("b", 0, { state: "running" }) })
        const before = yield* work.of(id(1))
        yield* work.plan({ jobId: id(1), attempt: 1, work: plan })
        yield* work.plan({ jobId: id(1), attempt: 1, work: planOf(2, 2) })
        expect(yield* work.of(id(1))).toEqual(before)
      }).pipe(Effect.provide(layer))
    )

    it.effect("adds further tasks of its units, which can run again once they are merged or skipped", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1)
        const of = { jobId: id(1), attempt: 1 }
        const merged = unit("b", 0, { state: "merged", commit: "89ab" })
        yield* work.unit({ ...of, unit: merged })
        yield* work.unit({ ...of, unit: unit("a", 1, { dependsOn: ["b"], state: "skipped" }) })
        const more = task("b", 8, 2)
        yield* work.plan({ ...of, work: new Work.Work({ ...plan, tasks: [...plan.tasks, more] }) })
        expect((yield* work.of(id(1))).tasks).toEqual([...plan.tasks.slice(0, 2), more, ...plan.tasks.slice(2)])
        const running = [
          unit("b", 0, { state: "running", base: "89ab" }),
          unit("a", 1, { dependsOn: ["b"], state: "running" })
        ]
        for (const unit of running) yield* work.unit({ ...of, unit })
        expect((yield* work.of(id(1))).units).toEqual(running)
        yield* work.unit({ ...of, unit: merged })
        expect(Exit.isFailure(yield* Effect.exit(work.unit({ ...of, unit: unit("b", 0) })))).toBe(true)
      }).pipe(Effect.provide(layer))
    )

    it.effect("can be planned after an empty plan", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1, nothing)
        yield* work.plan({ jobId: id(1), attempt: 1, work: plan })
        expect(yield* work.of(id(1))).toEqual(plan)
      }).pipe(Effect.provide(layer))
    )

    it.effect("holds thousands of tasks, separately for each job", () =>
      Effect.gen(function* () {
        const many = planOf(61, 83)
        const { work } = yield* planned(1, many)
        yield* planned(2)
        yield* work.unit({ jobId: id(2), attempt: 1, unit: unit("a", 1, { state: "blocked" }) })
        expect(yield* work.of(id(1))).toEqual(many)
        expect((yield* work.of(id(2))).units.map(({ state }) => state)).toEqual(["pending", "blocked"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("gets further tasks, each once, and for the current attempt only", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1)
        const added = task("b", 8, 2, { title: "Resolve a conflict", resolves: ["a.txt"] })
        yield* work.add({ jobId: id(1), attempt: 1, task: added })
        const running = task("b", 8, 2, { title: "Resolve a conflict", resolves: ["a.txt"], state: "running" })
        yield* work.task({ jobId: id(1), attempt: 1, task: running })
        yield* work.add({ jobId: id(1), attempt: 1, task: added })
        const [first, second, third] = plan.tasks
        expect((yield* work.of(id(1))).tasks).toEqual([first, second, running, third])
        const refused = yield* Effect.flip(work.add({ jobId: id(1), attempt: 2, task: task("b", 9, 3) }))
        // A plan does not count what was added.
        const tasks = [...plan.tasks, task("b", 9, 2), task("b", 10, 3)]
        yield* work.plan({ jobId: id(1), attempt: 1, work: new Work.Work({ ...plan, tasks }) })
        expect((yield* work.of(id(1))).tasks).toEqual([
          ...[first, second, running],
          ...[task("b", 9, 3), task("b", 10, 4), third]
        ])
        expect(refused._tag).toBe("Superseded")
      }).pipe(Effect.provide(layer))
    )

    it.effect("lists the costs of tasks, for many jobs at once", () =>
      Effect.gen(function* () {
        const [first, second] = [
          { input: 1, cached: 0, output: 2 },
          { input: 0, cached: 5, output: 1, usd: 0.25 }
        ]
        const with_ = (cost: typeof first) =>
          new Work.Work({ units: plan.units, tasks: plan.tasks.map((task) => new Work.TaskRecord({ ...task, cost })) })
        yield* planned(1, with_(first))
        yield* planned(2)
        const { work } = yield* planned(3, with_(second))
        const found = yield* work.costs([1, 2, 3, 4].map(id))
        expect([...found.keys()].sort()).toEqual([id(1), id(3)])
        expect(found.get(id(1))).toEqual([first, first, first])
        expect(found.get(id(3))).toEqual([second, second, second])
        expect((yield* work.costs([])).size).toBe(0)
      }).pipe(Effect.provide(layer))
    )

    it.effect("counts tasks by state, for many jobs at once", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1)
        yield* planned(2, planOf(3, 7))
        yield* created(3)
        yield* work.task({ jobId: id(1), attempt: 1, task: task("a", 1, 0, { state: "running" }) })
        yield* work.task({ jobId: id(1), attempt: 1, task: task("b", 2, 1, { state: "completed", commit: "89ab" }) })
        yield* work.task({ jobId: id(1), attempt: 1, task: task("b", 7, 0, { state: "failed", reason: "no" }) })
        const none = { pending: 0, running: 0, completed: 0, failed: 0, skipped: 0 }
        expect([...(yield* work.counts([1, 2, 3, 4].map(id)))].sort()).toEqual([
          [id(1), new Work.TaskCounts({ ...none, running: 1, completed: 1, failed: 1 })],
          [id(2), new Work.TaskCounts({ ...none, pending: 21 })]
        ])
        expect((yield* work.counts([id(2)])).size).toBe(1)
        expect((yield* work.counts([])).size).toBe(0)
        expect([...(yield* work.unitNames([1, 2, 3, 4].map(id), 1)).values()]).toEqual([["b"], ["unit 0003"]])
        expect((yield* work.unitNames([id(1)], 3)).get(id(1))).toEqual(["b", "a"])
        expect((yield* work.unitNames([], 3)).size).toBe(0)
      }).pipe(Effect.provide(layer))
    )

    it.effect("replaces the record of one unit or task at a time", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1)
        const of = { jobId: id(1), attempt: 1 }
        const running = unit("b", 0, { state: "running", base: "0123", startedAt: at(1), reason: "the first time" })
        yield* work.unit({ ...of, unit: running })
        yield* work.task({ ...of, task: task("b", 2, 1, { state: "running", calls: 1, notes: ["x"], log: "/a" }) })
        // Fields that are left out are cleared.
        const again = new Work.UnitRecord({ ...running, reason: undefined })
        yield* work.unit({ ...of, unit: again })
        const once = task("b", 2, 1, { state: "completed", calls: 1, commit: "89ab", endedAt: at(9) })
        yield* work.task({ ...of, task: once })
        expect(yield* work.of(id(1))).toEqual({
          units: [again, plan.units[1]],
          tasks: [plan.tasks[0], once, plan.tasks[2]]
        })
      }).pipe(Effect.provide(layer))
    )

    it.effect("continues in the next attempt after a crash", () =>
      Effect.gen(function* () {
        const { begin, record, work } = yield* planned(1)
        yield* work.task({ jobId: id(1), attempt: 1, task: task("b", 7, 0, { state: "running" }) })
        yield* record({ type: "job.interrupted", jobId: id(1), attempt: 1, at: at(5), crashed: true })
        yield* begin({ jobId: id(1), attempt: 2, key: undefined, at: at(6) })
        yield* work.plan({ jobId: id(1), attempt: 2, work: plan })
        expect((yield* work.of(id(1))).tasks.map(({ state }) => state)).toEqual(["running", "pending", "pending"])
        yield* work.task({ jobId: id(1), attempt: 2, task: task("b", 7, 0, { state: "failed", reason: "no" }) })
        expect((yield* work.of(id(1))).tasks.map(({ state }) => state)).toEqual(["failed", "pending", "pending"])
      }).pipe(Effect.provide(layer))
    )

    it.effect("can be recorded while the job is stopping", () =>
      Effect.gen(function* () {
        const { record, work } = yield* planned(1)
        yield* record({ type: "job.stopping", jobId: id(1), attempt: 1, at: at(5) })
        yield* work.unit({ jobId: id(1), attempt: 1, unit: unit("a", 1, { state: "running" }) })
        expect((yield* work.of(id(1))).units[1]?.state).toBe("running")
      }).pipe(Effect.provide(layer))
    )

    const elsewhere: ReadonlyArray<readonly [where: string, attempt: number, RunStore.Change["type"] | undefined]> = [
      ["that has not started", 2, undefined],
      ["before the first", 0, undefined],
      ["that was interrupted", 1, "job.interrupted"],
      ["whose job has failed", 1, "job.failed"],
      ["whose job was cancelled", 1, "job.cancelled"]
    ]
    for (const [where, attempt, type] of elsewhere) {
      it.effect(`is refused for an attempt ${where}`, () =>
        Effect.gen(function* () {
          const store = yield* planned(1)
          yield* created(2)
          if (type !== undefined) {
            for (const n of [1, 2]) yield* store.record({ type, jobId: id(n), attempt: 1, at: at(5), error })
          }
          for (const write of [
            store.work.plan({ jobId: id(2), attempt, work: plan }),
            store.work.unit({ jobId: id(1), attempt, unit: unit("a", 1, { state: "running" }) }),
            store.work.task({ jobId: id(1), attempt, task: task("a", 1, 0, { state: "running" }) })
          ]) {
            expect(yield* Effect.flip(write)).toMatchObject({ _tag: "Superseded", attempt })
          }
          expect(yield* store.work.of(id(1))).toEqual(plan)
          expect(yield* store.work.of(id(2))).toEqual(nothing)
        }).pipe(Effect.provide(layer))
      )
    }

    it.effect("is refused for an unknown job", () =>
      Effect.gen(function* () {
        const { work } = yield* RunStore.RunStore
        const refused = yield* Effect.flip(work.plan({ jobId: id(1), attempt: 1, work: plan }))
        expect(refused).toMatchObject({ _tag: "Superseded", jobId: id(1) })
      }).pipe(Effect.provide(layer))
    )

    it.effect("dies for an unplanned unit or task, without affecting other writes", () =>
      Effect.gen(function* () {
        const { work } = yield* planned(1)
        yield* created(2)
        const of = { jobId: id(1), attempt: 1 }
        const exits = yield* Effect.all(
          [
            Effect.exit(work.unit({ ...of, unit: unit("c", 2) })),
            Effect.exit(work.task({ ...of, task: task("a", 2, 1) })),
            Effect.exit(work.task({ ...of, task: task("c", 1, 0) })),
            Effect.exit(work.unit({ jobId: id(2), attempt: 1, unit: unit("a", 1) })),
            Effect.exit(work.unit({ ...of, unit: unit("a", 1, { state: "running" }) }))
          ],
          { concurrency: "unbounded" }
        )
        for (const exit of exits.slice(0, 4)) {
          expect(exit).toMatchObject({
            cause: { _tag: "Die", defect: { message: expect.stringContaining("call work.plan first") } }
          })
        }
        expect(exits.at(-1)).toEqual(Exit.void)
        expect((yield* work.of(id(1))).units.map(({ state }) => state)).toEqual(["pending", "running"])
      }).pipe(Effect.provide(layer))
    )

    for (const state of Work.UnitState.literals) {
      const isTerminal = state !== "pending" && state !== "running"
      const all = { commit: "0", reason: "x" }
      it.effect(`${isTerminal ? "keeps the terminal state" : "allows transitions"} of a unit that is ${state}`, () =>
        Effect.gen(function* () {
          for (const [n, next] of Work.UnitState.literals.entries()) {
            const store = yield* planned(n)
            const as = (state: Work.UnitState) =>
              store.work.unit({ jobId: id(n), attempt: 1, unit: unit("b", 0, { state, ...all }) })
            yield* as(state)
            const outcome = yield* Effect.either(as(next))
            const isAgain = (state === "merged" || state === "skipped") && next === "running"
            const refused = isTerminal && next !== state && !isAgain
            if (refused) expect(outcome).toMatchObject({ left: { _tag: "StoreError", reason: "other" } })
            expect((yield* store.work.of(id(n))).units[0]?.state).toBe(refused ? state : next)
          }
        }).pipe(Effect.provide(layer))
      )
    }

    for (const state of Work.TaskState.literals) {
      const isTerminal = state !== "pending" && state !== "running"
      const all = { commit: "0", reason: "x" }
      it.effect(`${isTerminal ? "keeps the terminal state" : "allows transitions"} of a task that is ${state}`, () =>
        Effect.gen(function* () {
          for (const [n, next] of Work.TaskState.literals.entries()) {
            const store = yield* planned(n)
            const as = (state: Work.TaskState) =>
              store.work.task({ jobId: id(n), attempt: 1, task: task("b", 7, 0, { state, ...all }) })
            yield* as(state)
            const outcome = yield* Effect.either(as(next))
            const refused = isTerminal && next !== state
            if (refused) expect(outcome).toMatchObject({ left: { _tag: "StoreError", reason: "other" } })
            expect((yield* store.work.of(id(n))).tasks[0]?.state).toBe(refused ? state : next)
          }
        }).pipe(Effect.provide(layer))
      )
    }
  })
}
