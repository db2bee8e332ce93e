/**
 * Secrets are redacted in what an orchestrator records, but not in what a job was submitted with.
 */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore, Work } from "charlotte"
import { Effect, Layer, Option, Schema } from "effect"
import { AgentLimit } from "../../../src/domain/AgentLimit.js"
import { TurnStreak } from "../../../src/domain/TurnStreak.js"
import * as Redaction from "../../../src/internal/Redaction.js"
import { approvalSignal, Parked, Progress, RunError } from "../../../src/domain/Run.js"
import * as RedactedRunStore from "../../../src/store/rules/RedactedRunStore.js"
import { at, id, kind, newRun } from "../runs.js"
import { planOf, task, unit } from "../work.js"

const secret = 'hunter2/"and"/more'
const mark = "[redacted]"

const layer = Layer.effect(
  RunStore.RunStore,
  Effect.map(RunStore.RunStore, (store) => RedactedRunStore.make(store, Redaction.make([secret])))
).pipe(Layer.provide(RunStore.layerMemory))

/** A store with one run. */
const withRun = <A, E>(use: (store: RunStore.RunStore["Type"]) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    yield* store.create(
      newRun(1, { config: { agent: secret }, labels: { secret }, submission: JSON.stringify([secret]) })
    )
    return yield* use(store)
  }).pipe(Effect.provide(layer))

const jobId = id(1)

const recorded = (store: RunStore.RunStore["Type"]) => Effect.flatten(store.get(jobId))

describe("RedactedRunStore", () => {
  it.effect("keeps secrets of what was submitted from being searched", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const found = (q: string) => Effect.map(store.list({ q }), (runs) => runs.map(({ id }) => id))
        expect(yield* found("hunter2")).toEqual([])
        expect(yield* found("redacted secret")).toEqual([jobId])
        yield* store.create(newRun(2, { config: { agent: "public" }, labels: { team: "web" } }))
        expect(yield* found("public web")).toEqual([id(2)])
        expect(yield* recorded(store)).toMatchObject({ config: { agent: secret }, labels: { secret } })
      })
    )
  )

  it.effect("redacts the error that a run waiting for a retry shows, and its event", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const error = new RunError({ kind: "failure", error: { message: secret }, cause: secret })
        const parked = new Parked({ reason: "retry 1 of 2", until: at(99), retry: { n: 1, of: 2, error } })
        yield* store.record({ type: "job.parked", jobId, attempt: 1, at: at(9), parked, error })
        const retry = { n: 1, of: 2, error: { kind: "failure", error: { message: mark } } }
        expect(yield* recorded(store)).toMatchObject({ parked: { reason: "retry 1 of 2", until: at(99), retry } })
        const { events } = yield* Effect.flatten(store.events({ kind, jobId, after: 1, limit: 9 }))
        expect(events).toMatchObject([{ type: "job.parked", payload: { retry } }])
      })
    )
  )

  it.effect("lets a node of a cluster take the run that it starts in the same transaction", () =>
    withRun(({ cluster }) =>
      Effect.gen(function* () {
        const node = { id: "node 1", kind, address: "127.0.0.1:1", pid: 1, machine: "a machine", capacity: 2 }
        yield* cluster.join(node)
        yield* cluster.limit({ kind, maxJobs: 5 })
        const admitted = yield* cluster.admit(
          newRun(2, { config: { agent: secret } }),
          { candidates: [{ id: id(2), address: node.address, capacity: 2 }], whenFull: "refuse", waiting: [] },
          { node: node.id, address: node.address, capacity: 2, trace: undefined }
        )
        expect(admitted).toMatchObject({ id: id(2), isTaken: true })
      })
    )
  )

  it.effect("redacts secrets anywhere in events", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const payload = {
          text: `it is ${secret}.`,
          [secret]: [secret, { deep: JSON.stringify({ secret }) }],
          number: 7
        }
        yield* store.append({
          jobId,
          attempt: 1,
          events: [
            { at: at(1), type: "x.said", unit: "a", task: 1, payload: JSON.stringify(payload) },
            { at: at(2), type: "x.silent" }
          ]
        })
        const page = yield* Effect.flatten(store.events({ kind, jobId, after: 1, limit: 10 }))
        expect(page.events).toMatchObject([
          {
            type: "x.said",
            unit: "a",
            task: 1,
            payload: { text: `it is ${mark}.`, [mark]: [mark, { deep: `{"secret":"${mark}"}` }], number: 7 }
          },
          { type: "x.silent" }
        ])
        expect(JSON.stringify(page.events)).not.toContain("hunter2")
      })
    )
  )

  it.effect("redacts secrets in results", () =>
    withRun((store) =>
      Effect.gen(function* () {
        yield* store.record({ type: "job.completed", jobId, attempt: 1, at: at(2), result: { token: secret, n: [1] } })
        expect((yield* recorded(store)).result).toEqual({ token: mark, n: [1] })
      })
    )
  )

  it.scoped("has a manager answer an await with what is recorded", () =>
    Effect.gen(function* () {
      const manager = yield* JobManager.make({
        kind,
        config: Schema.Boolean,
        orchestrator: {
          run: ({ config }) => (config ? Effect.succeed({ token: secret }) : Effect.fail({ token: secret }))
        }
      })
      const { get } = yield* RunStore.RunStore
      for (const succeeds of [true, false]) {
        const jobId = yield* manager.start(succeeds)
        const { error, result } = yield* manager.await(jobId)
        expect(JSON.stringify({ error, result })).toContain(mark)
        const recorded = yield* Effect.flatten(get(jobId))
        expect({ error, result }).toEqual({ error: recorded.error, result: recorded.result })
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("redacts a secret that is split by the truncation of an error", () =>
    withRun((store) =>
      Effect.gen(function* () {
        // Each text is truncated within a secret.
        const text = `${secret} `.repeat(10_000)
        const error = new RunError({ kind: "failure", error: { message: text }, cause: text })
        yield* store.record({ type: "job.failed", jobId, attempt: 1, at: at(2), error })
        const { error: kept } = yield* recorded(store)
        expect(JSON.stringify(kept)).toContain("[cut: ")
        expect(JSON.stringify(kept)).not.toContain("hunt")
      })
    )
  )

  it.effect("redacts secrets in errors and their stack traces", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const error = new RunError({ kind: "failure", error: { message: secret }, cause: `Error: ${secret}\n    at …` })
        yield* store.record({ type: "job.failed", jobId, attempt: 1, at: at(2), error })
        expect((yield* recorded(store)).error).toEqual(
          new RunError({ kind: "failure", error: { message: mark }, cause: `Error: ${mark}\n    at …` })
        )
        const page = yield* Effect.flatten(store.events({ kind, jobId, after: 0, limit: 10 }))
        expect(JSON.stringify(page.events)).not.toContain("hunter2")
      })
    )
  )

  it.effect("redacts secrets in the progress of units and tasks", () =>
    withRun((store) =>
      Effect.gen(function* () {
        yield* store.work.plan({ jobId, attempt: 1, work: planOf(1, 1) })
        const name = planOf(1, 1).units[0]?.unit ?? ""
        const reason = `it printed ${secret}`
        const ofGate = (reason: string) => ({ _tag: "couldNotRunBefore", reason }) as const
        const notes = [reason, "fine", ofGate(reason)]
        yield* store.work.task({ jobId, attempt: 1, task: task(name, 1, 0, { reason, notes }) })
        yield* store.work.unit({ jobId, attempt: 1, unit: unit(name, 0, { reason }) })
        const { tasks, units } = yield* store.work.of(jobId)
        expect(units).toEqual([unit(name, 0, { reason: `it printed ${mark}` })])
        expect(tasks).toEqual([
          task(name, 1, 0, {
            reason: `it printed ${mark}`,
            notes: [`it printed ${mark}`, "fine", ofGate(`it printed ${mark}`)]
          })
        ])
      })
    )
  )

  it.effect("redacts secrets in planned and added tasks", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const words = (secret: string) => ({ title: `fix ${secret}`, notes: [`it printed ${secret}`] })
        const work = new Work.Work({ units: [unit("a", 0)], tasks: [task("a", 1, 0, words(secret))] })
        yield* store.work.plan({ jobId, attempt: 1, work })
        yield* store.work.add({ jobId, attempt: 1, task: task("a", 2, 1, words(secret)) })
        const { tasks } = yield* store.work.of(jobId)
        expect(tasks).toEqual([task("a", 1, 0, words(mark)), task("a", 2, 1, words(mark))])
        yield* store.work.task({ jobId, attempt: 1, task: task("a", 1, 0, words(secret)) })
        expect((yield* store.work.of(jobId)).tasks).toEqual(tasks)
      })
    )
  )

  it.effect("redacts secrets in the reason of a rejection, and leaves the payloads of other signals unchanged", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const rejection = (secret: string) => ({ commit: "c", because: `it prints ${secret}`, unit: "a" })
        const of = (name: string, payload: unknown) => ({
          ...{ kind, jobId, name, payload: JSON.stringify(payload) },
          ...{ by: "Ann", limit: 9, at: at(2) }
        })
        const sent = [
          of(approvalSignal, rejection(secret)),
          of(approvalSignal, { commit: "c" }),
          of("go", { because: secret })
        ]
        yield* Effect.forEach(sent, store.producers.requestSignal)
        const requests = yield* store.producers.requests(kind)
        yield* Effect.forEach(requests, store.producers.settle)
        const asked = requests.flatMap(({ asks }) =>
          Option.isSome(asks) && asks.value._tag === "Signal" ? [JSON.parse(asks.value.payload ?? "null")] : []
        )
        const kept = [rejection(mark), { commit: "c" }, { because: secret }]
        expect(asked).toEqual(kept)
        yield* Effect.forEach(sent, store.signal)
        const signals = yield* store.signals({ jobId, after: 0, limit: 9 })
        expect(signals.map(({ payload }) => payload)).toEqual(kept)
        const { events } = yield* Effect.flatten(store.events({ kind, jobId, after: 1, limit: 9 }))
        expect(JSON.stringify(events[0])).not.toContain("hunter2")
      })
    )
  )

  it.effect("redacts secrets in the recorded end of a log", () =>
    withRun(({ childProcesses }) =>
      Effect.gen(function* () {
        const process = { cookie: "a", jobId, attempt: 1, bootId: "", purpose: "agent", at: at(1) }
        yield* childProcesses.open({ ...process, log: "/logs/1.log" })
        yield* childProcesses.close({ cookie: "a", at: at(2), tail: `it printed ${secret}` })
        expect(yield* childProcesses.logs(jobId)).toMatchObject([{ tail: `it printed ${mark}` }])
      })
    )
  )

  it.effect("redacts the text of progress before it is cut", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const before = "a".repeat(190)
        const reported = new Progress({ done: 1, total: 2, text: `${before} ${secret}` })
        const progress = new Progress({ done: 1, total: 2, text: `${before} [redac…` })
        expect(yield* store.progress({ jobId, attempt: 1, tries: 0, progress: reported })).toEqual(progress)
        expect((yield* recorded(store)).progress).toEqual(progress)
      })
    )
  )

  it.effect("redacts secrets in a step that is shown, and leaves the step that a later attempt reads unchanged", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const value = JSON.stringify({ secret })
        yield* store.steps.record({
          ...{ chain: jobId, jobId, attempt: 1, tries: 0, seq: 1, name: "charge", ok: true },
          ...{ value, at: at(9), millis: 1, replaces: false }
        })
        expect(yield* store.steps.recall(jobId)).toMatchObject([{ value }])
        const shown = yield* store.steps.get({ chain: jobId, name: "charge" })
        expect(Option.getOrThrow(shown).value).toBe(JSON.stringify({ secret: mark }))
      })
    )
  )

  it.effect("leaves the submitted configuration unchanged", () =>
    withRun((store) =>
      Effect.gen(function* () {
        expect(yield* recorded(store)).toMatchObject({ config: { agent: secret }, labels: { secret } })
        expect(yield* store.submission(jobId)).toEqual(Option.some([secret]))
      })
    )
  )

  it.effect("redacts secrets in what a job parks for, and in usage limits of agents", () =>
    withRun((store) =>
      Effect.gen(function* () {
        const reason = `refused: ${secret}`
        const limit = new AgentLimit({ agent: "claude", reason, since: at(8), until: at(9), refusals: 0 })
        yield* store.agentLimits.record({ jobId, attempt: 1, limit })
        expect(yield* store.agentLimits.get("claude")).toMatchObject({ value: { reason: `refused: ${mark}` } })
        const task = { jobId, agent: "claude", unit: "a", task: 1 }
        const streak = {
          ...task,
          kind: "unanswered",
          turns: 1,
          wording: "x",
          reason,
          at: at(1),
          answeredSince: false
        } as const
        yield* store.agentLimits.recordStreak({ attempt: 1, streak: new TurnStreak(streak) })
        expect(yield* store.agentLimits.streaks("claude")).toMatchObject([{ reason: `refused: ${mark}` }])
        yield* store.record({ type: "job.parked", jobId, attempt: 1, at: at(2), parked: { reason, until: at(9) } })
        expect(yield* recorded(store)).toMatchObject({ parked: { reason: `refused: ${mark}`, until: at(9) } })
      })
    )
  )
})
