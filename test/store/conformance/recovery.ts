import { describe, expect, it } from "@effect/vitest"
import { Run, RunStore } from "charlotte"
import { Effect, Either, Exit, type Layer, Option, Scope } from "effect"
import { at, created, error, event, id, kind, unfinished } from "../runs.js"

export const recovery = (layer: Layer.Layer<RunStore.RunStore>) => {
  describe("due", () => {
    it.effect("returns the runs of the statuses that wait for a permit, none where no status is named", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        yield* created(1, { isQueued: true })
        yield* created(2)
        yield* store.record({ type: "job.interrupted", jobId: id(2), attempt: 1, at: at(9) })
        const due = (statuses: Parameters<typeof store.due>[0]["statuses"]) =>
          Effect.map(store.due({ kind, statuses, limit: 10 }), (all) => all.map(({ run }) => run.id))
        expect(yield* due(["interrupted", "pending"])).toEqual([id(2), id(1)])
        expect(yield* due(["pending"])).toEqual([id(1)])
        expect(yield* due([])).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  })

  describe("a retry", () => {
    const retry = (n: number, at_: number) =>
      new Run.Parked({
        reason: `retry ${n} of 5`,
        until: at(at_),
        retry: { n, of: 5, error: { kind: error.kind, error: error.error } }
      })

    const park = (n: number, parked: Run.Parked) =>
      Effect.flatMap(RunStore.RunStore, ({ record }) =>
        record({ type: "job.parked", jobId: id(n), attempt: 1, at: at(9), parked, error })
      )

    it.effect("begins in the order of pending runs, after all other parked ones, unless a person resumes it", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const due = (limit: number) =>
          Effect.map(store.due({ kind, statuses: ["interrupted", "parked", "pending"], limit }), (all) =>
            all.map(({ run }) => run.id)
          )
        yield* created(1)
        yield* created(2)
        yield* created(3, { isQueued: true })
        yield* created(4)
        yield* created(5)
        yield* created(6, { priority: 1 })
        for (const n of [2, 4, 6]) yield* park(n, retry(1, 20))
        yield* park(1, retry(1, 5))
        yield* park(5, new Run.Parked({ reason: "waits", until: at(20) }))
        expect(yield* due(9)).toEqual([id(1), id(3)])
        yield* store.wakeDue({ kind, at: at(20) })
        const order = [6, 5, 1, 2, 3, 4].map(id)
        expect(yield* due(9)).toEqual(order)
        for (const limit of [1, 2, 3]) expect(yield* due(limit)).toEqual(order.slice(0, limit))
        yield* store.wake(id(4))
        expect(yield* due(3)).toEqual([6, 4, 5].map(id))
      }).pipe(Effect.provide(layer))
    )

    it.effect("is due at its time, as other runs are, whatever text it or another run waits with", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const text = 'cut \ud83d and \0, "retry":{'
        yield* created(1)
        yield* created(2)
        yield* park(1, new Run.Parked({ ...retry(1, 20), reason: text }))
        yield* park(2, new Run.Parked({ reason: text, until: at(20) }))
        yield* store.wakeDue({ kind, at: at(20) })
        const due = yield* store.due({ kind, statuses: ["parked"], limit: 9 })
        expect(due.map(({ run }) => run.id)).toEqual([id(2), id(1)])
        expect(due.map(({ run }) => run.parked?.reason)).toEqual([text, text])
      }).pipe(Effect.provide(layer))
    )

    it.effect("is counted, also through crashes, interruptions and parks, and shows the error, truncated", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        const tries = Effect.map(unfinished(jobId), (found) => found?.run.tries)
        const long = "x".repeat(100_000)
        expect(yield* tries).toBeUndefined()
        const parked = retry(1, 20)
        yield* store.record({
          type: "job.parked",
          jobId,
          attempt: 1,
          at: at(9),
          parked,
          error: { ...error, error: long }
        })
        const run = (yield* unfinished(jobId))?.run
        expect(run).toMatchObject({ tries: 1, parked: { retry: { n: 1, of: 5, error: { kind: "failure" } } } })
        expect(run).not.toHaveProperty("error")
        expect(JSON.stringify(run?.parked).length).toBeLessThan(70_000)
        let attempt = 1
        const again = (change: Pick<RunStore.Change, "type" | "crashed" | "parked">) =>
          Effect.gen(function* () {
            yield* store.wakeDue({ kind, at: at(20) })
            attempt += 1
            yield* store.begin({ jobId, attempt, key: undefined, at: at(21) })
            yield* store.record({ ...change, jobId, attempt, at: at(22) })
            return yield* tries
          })
        expect(yield* again({ type: "job.interrupted", crashed: true })).toBe(1)
        expect(yield* again({ type: "job.interrupted" })).toBe(1)
        expect(yield* again({ type: "job.parked", parked: new Run.Parked({ reason: "waits", until: at(20) }) })).toBe(1)
        expect(yield* again({ type: "job.parked", parked: retry(2, 20) })).toBe(2)
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "becomes a cancellation with its error if the intent to stop came before, and its key can be taken over",
      () =>
        Effect.gen(function* () {
          const store = yield* RunStore.RunStore
          yield* created(1)
          yield* store.record({ type: "job.stopping", jobId: id(1), attempt: 1, at: at(8) })
          expect(yield* park(1, retry(1, 20))).toBe("job.cancelled")
          expect(Option.getOrThrow(yield* store.get(id(1)))).toMatchObject({ status: "cancelled", error })
          yield* created(2, { startKey: "a" })
          yield* park(2, retry(1, 20))
          const refused = yield* Effect.flip(created(3, { startKey: "a" }))
          expect(refused).toMatchObject({ jobId: id(2), status: "parked", retry: { n: 1, of: 5, at: at(20) } })
          yield* created(3, { startKey: "a", whenKeyTaken: "replace" })
          expect(Option.getOrThrow(yield* store.get(id(2)))).toMatchObject({ status: "cancelled" })
        }).pipe(Effect.provide(layer))
    )
  })

  describe("lifecycle", () => {
    it.effect("returns how each attempt began and ended, without other events, and what ended the wait before it", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        yield* created(2)
        const begin = (attempt: number, isResumed = false) =>
          store.begin({
            jobId,
            attempt,
            key: undefined,
            isResumed,
            sender: { by: "ada", via: "page" },
            at: at(attempt)
          })
        const parked = new Run.Parked({ reason: "waits", until: at(20) })
        yield* store.append({ jobId, attempt: 1, events: [event("work.done")] })
        yield* store.record({ type: "job.interrupted", jobId, attempt: 1, at: at(9), crashed: true, during: ["gate"] })
        yield* begin(2)
        yield* store.record({ type: "job.interrupted", jobId, attempt: 2, at: at(9) })
        yield* begin(3, true)
        yield* store.record({ type: "job.parked", jobId, attempt: 3, at: at(9), parked })
        yield* store.wakeDue({ kind, at: at(20) })
        yield* begin(4)
        yield* store.record({ type: "job.parked", jobId, attempt: 4, at: at(9), parked })
        yield* store.wakeDue({ kind, at: at(20) })
        yield* store.wake(jobId, "resume", { by: "bea", via: "port" })
        yield* begin(5)
        yield* store.record({ type: "job.parked", jobId, attempt: 5, at: at(9), parked })
        yield* store.wake(jobId, "time")
        yield* begin(6)
        expect((yield* store.lifecycle(jobId)).map(({ payload, type }) => [type, payload])).toEqual([
          ["job.started", { attempt: 1 }],
          ["job.interrupted", { reason: "crash", during: ["gate"] }],
          ["job.resumed", { attempt: 2 }],
          ["job.interrupted", { reason: "shutdown" }],
          ["job.resumed", { attempt: 3, by: "resume", sender: "ada", via: "page" }],
          ["job.parked", { reason: "waits", until: "1970-01-01T00:00:00.020Z" }],
          ["job.resumed", { attempt: 4, by: "time" }],
          ["job.parked", { reason: "waits", until: "1970-01-01T00:00:00.020Z" }],
          ["job.resumed", { attempt: 5, by: "resume", sender: "bea", via: "port" }],
          ["job.parked", { reason: "waits", until: "1970-01-01T00:00:00.020Z" }],
          ["job.resumed", { attempt: 6, by: "time" }]
        ])
        expect(yield* store.lifecycle(id(3))).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  })

  describe("unfinished", () => {
    it.effect("returns the unfinished runs of a kind, oldest first, in pages", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        for (const n of [3, 1, 2, 5, 6, 7]) yield* created(n)
        yield* created(4, { kind: "other" })
        yield* store.record({ type: "job.interrupted", jobId: id(2), attempt: 1, at: at(9) })
        yield* store.record({ type: "job.completed", jobId: id(5), attempt: 1, at: at(9) })
        yield* store.record({ type: "job.failed", jobId: id(6), attempt: 1, at: at(9), error })
        yield* store.record({ type: "job.cancelled", jobId: id(7), attempt: 1, at: at(9) })

        const page = (limit: number, after?: number) =>
          Effect.map(store.unfinished({ kind, limit, ...(after === undefined ? {} : { after: id(after) }) }), (all) =>
            all.map(({ run }) => [run.id, run.status])
          )
        expect(yield* page(2)).toEqual([
          [id(1), "running"],
          [id(2), "interrupted"]
        ])
        expect(yield* page(2, 2)).toEqual([[id(3), "running"]])
        expect(yield* page(2, 3)).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("returns whether the current attempt is stopping", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        expect(yield* unfinished(jobId)).toMatchObject({ stopping: false })
        yield* store.record({ type: "job.stopping", jobId, attempt: 1, at: at(9) })
        expect(yield* unfinished(jobId)).toMatchObject({ stopping: true })
        yield* store.record({ type: "job.interrupted", jobId, attempt: 1, at: at(9), crashed: true })
        expect(yield* unfinished(jobId)).toBeUndefined()
      }).pipe(Effect.provide(layer))
    )

    it.effect("counts consecutive crashes, until the orchestrator emits or its manager shuts down", () =>
      Effect.gen(function* () {
        const store = yield* RunStore.RunStore
        const jobId = yield* created(1)
        let attempt = 1
        const crashes = Effect.map(unfinished(jobId), (found) => found?.crashes)
        const cut = (crashed: boolean) =>
          Effect.gen(function* () {
            yield* store.record({ type: "job.interrupted", jobId, attempt, at: at(9), crashed })
            attempt += 1
            yield* store.begin({ jobId, attempt, key: undefined, at: at(9) })
            return yield* crashes
          })
        expect(yield* crashes).toBe(0)
        expect(yield* cut(true)).toBe(1)
        expect(yield* cut(true)).toBe(2)
        yield* store.append({ jobId, attempt, events: [event("x")] })
        expect(yield* crashes).toBe(0)
        expect(yield* cut(true)).toBe(1)
        expect(yield* cut(false)).toBe(0)
        expect(yield* cut(true)).toBe(1)
        // Neither a refused event nor a stop resets the count.
        yield* Effect.flip(store.append({ jobId, attempt: attempt - 1, events: [event("x")] }))
        expect(yield* cut(true)).toBe(2)
        yield* store.record({ type: "job.stopping", jobId, attempt, at: at(9) })
        expect(yield* crashes).toBe(2)
      }).pipe(Effect.provide(layer))
    )
  })

  describe("owners", () => {
    const process = { pid: 1, bootId: "boot", startTime: "2", pidNamespace: "pid:[3]" }
    const a = { kind, id: "a", process }
    const b = { kind, id: "b", process: { ...process, pid: 2 } }
    const other = { kind: "other", id: "c", process }

    it.effect("claim a kind without an owner, or replace the expected owner", () =>
      Effect.gen(function* () {
        const { owners } = yield* RunStore.RunStore
        expect(yield* owners.get(kind)).toEqual(Option.none())
        expect(yield* owners.claim(a, Option.none())).toBe(true)
        expect(yield* owners.get(kind)).toEqual(Option.some(a))
        expect(yield* owners.claim(b, Option.none())).toBe(false)
        expect(yield* owners.claim(b, Option.some({ ...a, id: "x" }))).toBe(false)
        expect(yield* owners.get(kind)).toEqual(Option.some(a))
        expect(yield* owners.claim(b, Option.some(a))).toBe(true)
        expect(yield* owners.get(kind)).toEqual(Option.some(b))
      }).pipe(Effect.provide(layer))
    )

    it.effect("do not replace an owner that has changed", () =>
      Effect.gen(function* () {
        const { owners } = yield* RunStore.RunStore
        expect(yield* owners.claim(b, Option.some(a))).toBe(false)
        expect(yield* owners.get(kind)).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
    )

    it.effect("release only their own kind", () =>
      Effect.gen(function* () {
        const { owners } = yield* RunStore.RunStore
        yield* owners.claim(a, Option.none())
        yield* owners.claim(other, Option.none())
        yield* owners.release(b)
        expect(yield* owners.get(kind)).toEqual(Option.some(a))
        yield* owners.release(a)
        expect(yield* owners.get(kind)).toEqual(Option.none())
        expect(yield* owners.get("other")).toEqual(Option.some(other))
        yield* owners.release(a)
      }).pipe(Effect.provide(layer))
    )

    it.effect("let one of many concurrent claims succeed", () =>
      Effect.gen(function* () {
        const { owners } = yield* RunStore.RunStore
        const claims = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => ({ ...a, id: String(n) })),
          (owner) => owners.claim(owner, Option.none()),
          { concurrency: "unbounded" }
        )
        expect(claims.filter((claimed) => claimed)).toHaveLength(1)
        const winner = yield* Effect.flatten(owners.get(kind))
        expect(winner.id).toBe(String(claims.indexOf(true)))
      }).pipe(Effect.provide(layer))
    )
  })

  describe("owners.acquire", () => {
    const acquire = (id: string, kind = "tasks") =>
      Effect.flatMap(RunStore.RunStore, ({ owners }) => owners.acquire({ kind, id }))
    const recorded = Effect.flatMap(RunStore.RunStore, ({ owners }) => owners.get("tasks"))

    it.scoped("owns a kind until the scope closes, and fails for others with the owner", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Scope.extend(acquire("a"), scope)
        expect(Option.map(yield* recorded, ({ id, process }) => [id, process.pid])).toEqual(
          Option.some(["a", process.pid])
        )
        expect(yield* Effect.flip(acquire("b"))).toMatchObject({
          _tag: "AlreadyManaged",
          kind: "tasks",
          pid: process.pid
        })
        expect(Option.map(yield* recorded, ({ id }) => id)).toEqual(Option.some("a"))
        yield* acquire("c", "another kind / with any text")
        yield* Scope.close(scope, Exit.void)
        expect(yield* recorded).toEqual(Option.none())
        yield* acquire("b")
        expect(Option.map(yield* recorded, ({ id }) => id)).toEqual(Option.some("b"))
      }).pipe(Effect.provide(layer))
    )

    it.scoped("gives the kind to one of many concurrent contenders", () =>
      Effect.gen(function* () {
        const answers = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => String(n)),
          (id) => Effect.either(acquire(id)),
          { concurrency: "unbounded" }
        )
        expect(answers.filter(Either.isRight)).toHaveLength(1)
        for (const answer of answers.filter(Either.isLeft)) expect(answer.left._tag).toBe("AlreadyManaged")
      }).pipe(Effect.provide(layer))
    )
  })

  describe("childProcesses", () => {
    const process = (n: number, jobId = id(1)) => ({
      cookie: `cookie ${n}`,
      jobId,
      attempt: 1,
      bootId: "boot",
      machine: undefined,
      purpose: "agent",
      at: at(n)
    })

    it.effect("are open from the intent to spawn until they are closed, oldest first", () =>
      Effect.gen(function* () {
        const { childProcesses: attempts } = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        yield* attempts.open(process(1))
        yield* attempts.open(process(2))
        yield* attempts.open(process(3, id(2)))
        yield* attempts.spawned({ cookie: "cookie 2", pid: 42, startTime: "17" })
        const { at: _, ...first } = process(1)
        const { at: __, ...second } = process(2)
        expect(yield* attempts.unclosed(id(1))).toEqual([
          { ...first, pid: undefined, startTime: undefined },
          { ...second, pid: 42, startTime: "17" }
        ])
        yield* attempts.close({ cookie: "cookie 1", at: at(9) })
        yield* attempts.close({ cookie: "cookie 1", at: at(10) })
        expect(yield* attempts.unclosed(id(1))).toEqual([{ ...second, pid: 42, startTime: "17" }])
        expect(yield* attempts.leftBy(kind)).toEqual([id(1), id(2)])
        expect(yield* attempts.leftBy("another kind")).toEqual([])
        yield* attempts.close({ cookie: "cookie 2", at: at(9) })
        expect(yield* attempts.unclosed(id(1))).toEqual([])
        expect(yield* attempts.unclosed(id(2))).toHaveLength(1)
        expect(yield* attempts.leftBy(kind)).toEqual([id(2)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("stay closed when the spawn is recorded too late, and need no start time", () =>
      Effect.gen(function* () {
        const { childProcesses: attempts } = yield* RunStore.RunStore
        yield* created(1)
        yield* attempts.open(process(1))
        yield* attempts.spawned({ cookie: "cookie 1", pid: 42, startTime: undefined })
        expect(yield* attempts.unclosed(id(1))).toMatchObject([{ pid: 42, startTime: undefined }])
        yield* attempts.close({ cookie: "cookie 1", at: at(9) })
        yield* attempts.spawned({ cookie: "cookie 1", pid: 43, startTime: undefined })
        yield* attempts.spawned({ cookie: "unknown", pid: 43, startTime: undefined })
        expect(yield* attempts.unclosed(id(1))).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep the name of their machine", () =>
      Effect.gen(function* () {
        const { childProcesses: attempts } = yield* RunStore.RunStore
        yield* created(1)
        yield* attempts.open({ ...process(1), machine: "here/1" })
        yield* attempts.open({ ...process(2), machine: "there/2" })
        yield* attempts.spawned({ cookie: "cookie 2", pid: 42, startTime: "17" })
        expect((yield* attempts.unclosed(id(1))).map(({ machine }) => machine)).toEqual(["here/1", "there/2"])
        expect(yield* attempts.leftBy(kind)).toEqual([id(1)])
      }).pipe(Effect.provide(layer))
    )

    it.effect("keep where their log is, and the end of it, also when they are gone", () =>
      Effect.gen(function* () {
        const { childProcesses: attempts } = yield* RunStore.RunStore
        yield* created(1)
        yield* created(2)
        const [machine, log] = ["here/1", "/logs/1.log"]
        yield* attempts.open({ ...process(1), machine, log })
        yield* attempts.open({ ...process(2), machine, log: "/logs/2.log" })
        yield* attempts.open(process(3))
        yield* attempts.open({ ...process(4), jobId: id(2), log: "/logs/4.log" })
        yield* attempts.close({ cookie: "cookie 1", at: at(9), tail: "the end\0" })
        yield* attempts.close({ cookie: "cookie 1", at: at(10), tail: "another end" })
        const open = { machine, closedAt: undefined, tail: undefined }
        expect(yield* attempts.logs(id(1))).toEqual([
          { machine, log, openedAt: process(1).at, closedAt: at(9), tail: "the end\uFFFD" },
          { ...open, log: "/logs/2.log", openedAt: process(2).at }
        ])
        yield* attempts.close({ cookie: "cookie 2", at: at(9) })
        expect(yield* attempts.logs(id(1))).toMatchObject([{ log }, { closedAt: at(9), tail: undefined }])
      }).pipe(Effect.provide(layer))
    )
  })
}
