import { describe, expect, it } from "@effect/vitest"
import { errors, type JobId, JobManager, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { DateTime, Effect, Ref, Schema } from "effect"
import { crash, databaseFile, eventsOf, life, seen, startJob, statusOf, typesOf, withStore } from "./lives.js"

const { JobManager: Manager } = JobManager
const Script = ScriptedOrchestrator.ScriptedOrchestrator

const runOf = (id: Parameters<typeof statusOf>[0]) =>
  Effect.flatMap(RunStore.RunStore, ({ get }) => Effect.flatten(get(id)))

/** A life in which a job begins, and that ends with a crash. */
const crashed = (file: string, options: Parameters<typeof crash>[1] = {}) =>
  Effect.gen(function* () {
    const id = yield* startJob
    yield* Effect.flatMap(Script, ({ began }) => began(id))
    return id
  }).pipe(crash(file, options))

describe("a job whose manager has crashed", () => {
  it.scopedLive("resumes as its next attempt, and writes of the crashed attempt are rejected", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const { id, zombie } = yield* Effect.gen(function* () {
        const id = yield* startJob
        const zombie = yield* Script
        yield* zombie.send(id, Step.emit({ type: "first.life" }))
        yield* seen(id, "first.life")
        return { id, zombie }
      }).pipe(crash(file))

      yield* Effect.gen(function* () {
        const { began, send } = yield* Script
        yield* began(id, 2)
        yield* zombie.send(id, Step.emit({ type: "too.late" }), Step.flush, Step.succeed("too late"))
        yield* send(id, Step.emit({ type: "second.life" }), Step.flush, Step.succeed("done"))
        const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id))
        expect(run).toMatchObject({ status: "completed", attempt: 2, result: "done" })
        const events = yield* eventsOf(id)
        expect(events.map(({ payload, type }) => [type, payload])).toEqual([
          ["job.started", { attempt: 1 }],
          ["first.life", undefined],
          ["job.interrupted", { reason: "crash" }],
          ["job.resumed", { attempt: 2 }],
          ["second.life", undefined],
          ["job.completed", undefined]
        ])
      }).pipe(life(file))
    })
  )

  it.scopedLive("is cancelled if job.stopping was committed", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* Effect.gen(function* () {
        const id = yield* startJob
        const store = yield* RunStore.RunStore
        yield* store.record({ type: "job.stopping", jobId: id, attempt: 1, at: yield* DateTime.now })
        return id
      }).pipe(crash(file))
      yield* Effect.gen(function* () {
        expect(yield* statusOf(id)).toBe("cancelled")
        expect(yield* typesOf(id)).toEqual(["job.started", "job.stopping", "job.cancelled"])
        expect(yield* Effect.flatMap(Manager, ({ list }) => list)).toEqual([])
      }).pipe(life(file))
    })
  )

  it.scopedLive("waits under manual recovery, marked as interrupted", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      const status = statusOf(id).pipe(life(file, { recovery: "manual" }))
      expect(yield* status).toBe("interrupted")
    })
  )

  it.scopedLive("fails after three crashes in a row without an event of its orchestrator", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      for (const attempt of [2, 3]) {
        yield* Effect.flatMap(Script, ({ began }) => began(id, attempt)).pipe(crash(file))
      }
      yield* Effect.gen(function* () {
        expect(yield* runOf(id)).toMatchObject({ status: "failed", attempt: 3, error: { kind: "recovery" } })
        expect((yield* runOf(id)).error?.error).toContain("3 times in a row")
        expect((yield* typesOf(id)).slice(-2)).toEqual(["job.interrupted", "job.failed"])
      }).pipe(life(file))
    })
  )

  it.scopedLive("fails for its crashes even if the next manager crashed while it recorded that", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      for (const attempt of [2, 3]) {
        yield* Effect.flatMap(Script, ({ began }) => began(id, attempt)).pipe(crash(file))
      }
      yield* Effect.gen(function* () {
        const { record } = yield* RunStore.RunStore
        yield* record({ type: "job.interrupted", jobId: id, attempt: 3, crashed: true, at: yield* DateTime.now })
      }).pipe(withStore(file))
      const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id)).pipe(life(file))
      expect(run).toMatchObject({ status: "failed", attempt: 3 })
    })
  )

  it.scopedLive("resumes after any number of crashes with an event between", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      for (const attempt of [2, 3, 4, 5, 6]) {
        yield* Effect.gen(function* () {
          const { began, send } = yield* Script
          yield* began(id, attempt)
          // Two crashes in a row, then a sign of life.
          if (attempt % 2 !== 0) return
          yield* send(id, Step.emit({ type: `sign.${attempt}` }))
          yield* seen(id, `sign.${attempt}`)
        }).pipe(crash(file))
      }
      yield* Effect.flatMap(Script, ({ began }) => began(id, 7)).pipe(life(file))
    })
  )

  /** A life in which the job emits an event, and whose manager ends while these commands of the job run. */
  const duringCommands = (id: JobId.JobId, attempt: number, commands: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const { began, send } = yield* Script
      yield* began(id, attempt)
      yield* send(id, Step.emit({ type: `sign.${attempt}` }))
      yield* seen(id, `sign.${attempt}`)
      const { childProcesses } = yield* RunStore.RunStore
      for (const purpose of commands) {
        const cookie = `${purpose} ${attempt}`
        yield* childProcesses.open({
          cookie,
          jobId: id,
          attempt,
          bootId: "boot",
          purpose,
          at: yield* DateTime.now
        })
      }
    })

  it.scopedLive("fails after its manager died three times in a row during the same command, whatever it emitted", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      for (const [index, commands] of [["agent"], ["agent", "gate"], ["gate"], ["setup", "gate"]].entries())
        yield* duringCommands(id, index + 2, commands).pipe(crash(file))
      const { events, run } = yield* Effect.gen(function* () {
        const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id))
        return { run, events: yield* eventsOf(id) }
      }).pipe(life(file))
      expect(run).toMatchObject({ status: "failed", attempt: 5, error: { kind: "recovery" } })
      expect(run.error?.error).toBe("its manager died 3 times in a row during the same command, gate")
      const crashes = events.filter(({ type }) => type === "job.interrupted")
      expect(crashes.map(({ payload }) => payload)).toEqual([
        { reason: "crash" },
        { reason: "crash", during: ["agent"] },
        { reason: "crash", during: expect.arrayContaining(["agent", "gate"]) },
        { reason: "crash", during: ["gate"] },
        { reason: "crash", during: expect.arrayContaining(["setup", "gate"]) }
      ])
    })
  )

  it.scopedLive("resumes after crashes during the same command with another end of the manager between", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      for (const attempt of [2, 3]) yield* duringCommands(id, attempt, ["gate"]).pipe(crash(file))
      yield* duringCommands(id, 4, ["gate"]).pipe(life(file))
      for (const attempt of [5, 6]) yield* duringCommands(id, attempt, ["gate"]).pipe(crash(file))
      yield* Effect.flatMap(Script, ({ began }) => began(id, 7)).pipe(life(file))
    })
  )

  it.scopedLive("resumes after crashes with a clean shutdown between", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* crashed(file)
      yield* Effect.flatMap(Script, ({ began }) => began(id, 2)).pipe(crash(file))
      yield* Effect.flatMap(Script, ({ began }) => began(id, 3)).pipe(life(file))
      yield* Effect.flatMap(Script, ({ began }) => began(id, 4)).pipe(crash(file))
      yield* Effect.flatMap(Script, ({ began }) => began(id, 5)).pipe(life(file))
    })
  )

  it.scopedLive("is recovered before it resumes, unlike one that was shut down cleanly", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const clean = yield* startJob.pipe(life(file))
      const id = yield* crashed(file, { recovery: "manual" })
      const said = yield* Ref.make<ReadonlyArray<string>>([])
      const say = (what: string) => Ref.update(said, (all) => [...all, what])
      yield* Effect.gen(function* () {
        yield* seen(clean, "begun")
        yield* seen(id, "begun")
      }).pipe(
        life(file, {
          recover: (id) => say(`cleared ${id}`),
          script: ({ id }) => [() => say(`began ${id}`), Step.emit({ type: "begun" })]
        })
      )
      expect(yield* Ref.get(said)).toEqual([`cleared ${id}`, `began ${clean}`, `began ${id}`])
    })
  )

  it.scopedLive("is recovered even if it has ended, when a process record is still open", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* Effect.gen(function* () {
        const manager = yield* Manager
        const { childProcesses: attempts } = yield* RunStore.RunStore
        const id = yield* startJob
        const at = yield* DateTime.now
        yield* attempts.open({ cookie: "left", jobId: id, attempt: 1, bootId: "boot", purpose: "agent", at })
        yield* manager.stop(id)
        return id
      }).pipe(life(file))
      const cleared: Array<JobId.JobId> = []
      const clear = (id: JobId.JobId) => Effect.sync(() => void cleared.push(id))
      expect(yield* statusOf(id).pipe(life(file, { recover: clear }))).toBe("cancelled")
      expect(cleared).toEqual([id])
      // It stays so when that fails, and keeps no manager from coming up.
      expect(yield* statusOf(id).pipe(life(file, { recover: () => Effect.fail("a process is left") }))).toBe(
        "cancelled"
      )
    })
  )

  const failing: Record<string, () => Effect.Effect<never, string>> = {
    fails: () => Effect.fail("a process is left"),
    throws: () => {
      throw new Error("a process is left")
    }
  }
  for (const [how, recover] of Object.entries(failing)) {
    it.scopedLive(`fails if recover ${how}`, () =>
      Effect.gen(function* () {
        const file = yield* databaseFile
        const id = yield* crashed(file)
        yield* Effect.gen(function* () {
          expect(yield* runOf(id)).toMatchObject({ status: "failed", attempt: 1, error: { kind: "recovery" } })
          expect((yield* runOf(id)).error?.cause).toContain("a process is left")
          expect(yield* typesOf(id)).toEqual(["job.started", "job.failed"])
        }).pipe(life(file, { recover }))
      })
    )
  }
})

describe("a run that cannot be resumed", () => {
  it.scopedLive("fails with the reason if check refuses its configuration", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const id = yield* startJob.pipe(life(file))
      const refuse = () =>
        new errors.InvalidJobConfig({ issues: [{ path: ["repoPath"], message: "the repository is gone" }] })
      yield* Effect.gen(function* () {
        const run = yield* Effect.flatMap(Manager, (manager) => manager.await(id))
        expect(run).toMatchObject({ status: "failed", attempt: 1, error: { kind: "recovery" } })
        expect(run.error?.error).toContain("the repository is gone")
        expect(yield* typesOf(id)).toEqual(["job.started", "job.interrupted", "job.failed"])
      }).pipe(life(file, { check: refuse }))
    })
  )

  it.scopedLive("fails if its configuration no longer decodes, and resume reports it", () =>
    Effect.gen(function* () {
      const file = yield* databaseFile
      const manage = <A, I>(schema: Schema.Schema<A, I>) =>
        JobManager.make({
          kind: "numbers",
          config: schema,
          orchestrator: { run: () => Effect.never },
          recovery: "manual"
        })
      const id = yield* Effect.flatMap(manage(Schema.Struct({ n: Schema.Number })), ({ start }) =>
        start({ n: -1 })
      ).pipe(Effect.scoped, withStore(file))

      yield* Effect.gen(function* () {
        const manager = yield* manage(Schema.Struct({ n: Schema.Positive }))
        const error = yield* Effect.flip(manager.resume(id))
        expect(error).toMatchObject({ _tag: "NotResumable", status: "failed" })
        expect(error.message).toContain("n: ")
        expect((yield* manager.await(id)).error).toMatchObject({ kind: "recovery" })
        expect(yield* manager.activeCount).toBe(0)
      }).pipe(Effect.scoped, withStore(file))
    })
  )
})
