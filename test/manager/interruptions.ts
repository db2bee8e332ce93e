/**
 * Interrupts each operation of a manager wherever it can be interrupted: no permit is lost, no run is left behind, and what was
 * recorded takes its course.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { type JobId, JobManager, RunStore } from "charlotte"
import { Effect, Exit, type Layer, Option, Schema, Stream } from "effect"
import * as Audit from "../../src/store/Audit.js"
import { closing, interruptedEverywhere, longest, type StepsOf } from "../support/interruption.js"

const maxJobs = 3

/** What a job does: it ends after a moment, works until it is stopped, or parks; and a word by which it is found, if it has one. */
const Config = Schema.TemplateLiteral(Schema.Literal("ends", "works", "parks"), Schema.String)

const moment = Effect.sleep(1)

const make = JobManager.make({
  kind: "interrupted",
  config: Config,
  orchestrator: {
    check: () => Effect.as(moment, {}),
    run: (job) => {
      if (job.config === "works") return Effect.never
      const ended = Effect.zipRight(job.emit({ type: "step" }), moment)
      return job.config.startsWith("parks") && job.attempt === 1 ? job.park({ reason: "waits", signal: "go" }) : ended
    }
  },
  maxJobs
})

type Manager = Effect.Effect.Success<typeof make>

interface Call {
  readonly call: Effect.Effect<unknown, unknown>
  /** What has to hold afterwards, if the call has not failed, or in any case. */
  readonly after?: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<unknown, unknown>
}

interface Scene {
  readonly manager: Manager
  readonly store: RunStore.RunStore["Type"]
  /** A job that has begun to work. */
  readonly working: Effect.Effect<JobId.JobId, unknown>
  /** A job that has parked. */
  readonly waiting: Effect.Effect<JobId.JobId, unknown>
  readonly waitingAs: (word: string) => Effect.Effect<JobId.JobId, unknown>
  readonly inTransaction: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, unknown>
}

/** The running runs are the active jobs, as soon as those that are about to end have ended. */
const isConsistent = ({ manager, store }: Scene) =>
  Effect.gen(function* () {
    const running = yield* store.list({ status: "running" })
    expect(running.map(({ id }) => id).sort()).toEqual([...(yield* manager.list)].sort())
  })

/** All that is recorded of these runs ends by itself. */
const allEnd = ({ manager, store }: Scene, count: number) =>
  Effect.gen(function* () {
    const found = yield* store.list({ limit: count })
    for (const { id } of found) expect((yield* manager.await(id)).endedAt).toBeDefined()
  })

const stopped =
  ({ manager, store }: Scene, id: JobId.JobId) =>
  (exit: Exit.Exit<unknown, unknown>) =>
    Effect.gen(function* () {
      const events = yield* Effect.flatten(store.events({ kind: "interrupted", jobId: id, after: 0, limit: 100 }))
      // Once the intent is recorded, the job is stopped, whatever becomes of the caller.
      const isIntended = events.events.some(({ type }) => type === "job.stopping")
      if (Exit.isSuccess(exit) || isIntended) expect(yield* manager.await(id)).toMatchObject({ status: "cancelled" })
      expect(yield* manager.stop(id)).toMatchObject({ status: "cancelled" })
    })

/** A parked job that was woken ends; one that was not can still be woken. */
const woken =
  ({ manager }: Scene, id: JobId.JobId, wake: Effect.Effect<unknown, unknown>) =>
  (exit: Exit.Exit<unknown, unknown>) =>
    Effect.gen(function* () {
      if (Exit.isFailure(exit)) yield* Effect.exit(wake)
      expect(yield* manager.await(id)).toMatchObject({ status: "completed", attempt: 2 })
    })

/** A job that has been retried has one retry, and one that was not can be. */
const retried = ({ manager, store }: Scene, id: JobId.JobId) =>
  Effect.gen(function* () {
    const retry = yield* manager.retry(id)
    const retries = (yield* store.list({ limit: 1_000 })).filter(({ retryOf }) => retryOf === id)
    expect(retries.map(({ id }) => id)).toEqual([retry])
    yield* manager.signal(retry, "go", 1)
    expect(yield* manager.await(retry)).toMatchObject({ status: "completed" })
  })

/** A job is there as a whole, and can be removed, or nothing of it is left once a further call returns. */
const removed = ({ manager, store }: Scene, id: JobId.JobId) =>
  Effect.gen(function* () {
    yield* manager.remove(id, { stop: true })
    expect(yield* store.get(id)).toEqual(Option.none())
    expect(yield* store.hasHidden("interrupted")).toBe(false)
  })

let calls = 0

/** `stopAllBy` is `stopAll` with a name. */
const operations: {
  readonly [O in Exclude<keyof Manager, "getSubmission" | "stopAllBy">]: (scene: Scene) => Effect.Effect<Call, unknown>
} & { readonly [name: string]: (scene: Scene) => Effect.Effect<Call, unknown> } = {
  start: ({ manager, ...scene }) =>
    Effect.succeed({ call: manager.start("works"), after: () => isConsistent({ manager, ...scene }) }),
  "start that waits": ({ manager, ...scene }) =>
    Effect.succeed({
      call: manager.start("ends", { whenFull: "queue", key: "k", whenKeyTaken: "queue", idempotencyKey: "i" }),
      after: () => allEnd({ manager, ...scene }, 1)
    }),
  "start that replaces": ({ manager, ...scene }) =>
    Effect.as(manager.start("works", { key: "k" }), {
      call: manager.start("ends", { key: "k", whenKeyTaken: "replace" }),
      // The job before is stopped once the new one is recorded.
      after: () =>
        Effect.gen(function* () {
          const runs = yield* scene.store.list({ limit: 2 })
          if (runs[0]?.config === "ends") yield* allEnd({ manager, ...scene }, 2)
          yield* isConsistent({ manager, ...scene })
        })
    }),
  "start in a transaction": ({ inTransaction, manager, ...scene }) =>
    Effect.succeed({
      call: inTransaction(manager.start("ends")),
      after: () => allEnd({ inTransaction, manager, ...scene }, 1)
    }),
  startMany: ({ manager, ...scene }) =>
    Effect.succeed({ call: manager.startMany(["ends", "ends"]), after: () => allEnd({ manager, ...scene }, 2) }),
  "a whole life": ({ manager, ...scene }) =>
    Effect.succeed({
      call: Effect.flatMap(manager.start("ends"), manager.await),
      after: () => allEnd({ manager, ...scene }, 1)
    }),
  stop: (scene) => Effect.map(scene.working, (id) => ({ call: scene.manager.stop(id), after: stopped(scene, id) })),
  stopAll: (scene) => Effect.map(scene.working, (id) => ({ call: scene.manager.stopAll, after: stopped(scene, id) })),
  "stop of a waiting job": (scene) =>
    Effect.map(scene.waiting, (id) => ({ call: scene.manager.stop(id), after: () => scene.manager.stop(id) })),
  get: ({ manager, working }) => Effect.map(working, (id) => ({ call: manager.get(id) })),
  list: ({ manager, working }) => Effect.as(working, { call: manager.list }),
  activeCount: ({ manager }) => Effect.succeed({ call: manager.activeCount }),
  await: ({ manager }) => Effect.map(manager.start("ends"), (id) => ({ call: manager.await(id) })),
  signal: (scene) =>
    Effect.map(scene.waiting, (id) => {
      const call = scene.manager.signal(id, "go", 1)
      return { call, after: woken(scene, id, call) }
    }),
  resume: (scene) =>
    Effect.map(scene.waiting, (id) => {
      const call = scene.manager.resume(id)
      return { call, after: woken(scene, id, call) }
    }),
  retry: (scene) =>
    Effect.gen(function* () {
      const id = yield* Effect.tap(scene.waiting, scene.manager.stop)
      return { call: scene.manager.retry(id), after: () => retried(scene, id) }
    }),
  retryMany: (scene) =>
    Effect.gen(function* () {
      // Of all that other calls have left cancelled, only this one matches.
      const word = `call${(calls += 1)}`
      const id = yield* Effect.tap(scene.waitingAs(word), scene.manager.stop)
      const call = Stream.runDrain(scene.manager.retryMany({ status: "cancelled", q: word }))
      return { call, after: () => retried(scene, id) }
    }),
  remove: (scene) =>
    Effect.gen(function* () {
      const id = yield* Effect.tap(scene.waiting, scene.manager.stop)
      return { call: scene.manager.remove(id), after: () => removed(scene, id) }
    }),
  "remove of a working job": (scene) =>
    Effect.map(scene.working, (id) => ({
      call: scene.manager.remove(id, { stop: true }),
      after: () => removed(scene, id)
    })),
  removeMany: (scene) =>
    Effect.gen(function* () {
      const word = `call${(calls += 1)}`
      const id = yield* Effect.tap(scene.waitingAs(word), scene.manager.stop)
      const call = Stream.runDrain(scene.manager.removeMany({ status: "cancelled", q: word }))
      return { call, after: () => removed(scene, id) }
    }),
  reschedule: (scene) => Effect.map(scene.waiting, (id) => ({ call: scene.manager.reschedule(id, { priority: 5 }) })),
  limit: ({ manager }) => Effect.succeed({ call: manager.limit(1), after: () => manager.limit("default") }),
  maxJobs: ({ manager }) => Effect.succeed({ call: manager.maxJobs }),
  pause: ({ manager }) => Effect.succeed({ call: manager.pause(), after: () => manager.unpause() }),
  unpause: ({ manager, ...scene }) =>
    Effect.zipRight(
      manager.pause(),
      Effect.map(manager.start("ends", { whenFull: "queue" }), () => ({
        call: manager.unpause(),
        after: () => Effect.zipRight(manager.unpause(), allEnd({ manager, ...scene }, 1))
      }))
    ),
  events: ({ manager }) => Effect.map(manager.start("ends"), (id) => ({ call: Stream.runDrain(manager.events(id)) })),
  allEvents: ({ manager }) =>
    Effect.map(manager.start("ends"), () => ({ call: Stream.runDrain(Stream.take(manager.allEvents(), 3)) })),
  health: ({ manager }) => Effect.succeed({ call: manager.health })
}

const sceneOf = (manager: Manager): Effect.Effect<Scene, never, RunStore.RunStore | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    const { withTransaction } = yield* SqlClient.SqlClient
    const startedAt = (config: typeof Config.Type, type: string) =>
      Effect.tap(manager.start(config), (id) =>
        Stream.runDrain(Stream.takeUntil(manager.events(id), (event) => event.type === type))
      )
    return {
      manager,
      store,
      working: startedAt("works", "job.started"),
      waiting: startedAt("parks", "job.parked"),
      waitingAs: (word) => startedAt(`parks ${word}`, "job.parked"),
      inTransaction: withTransaction
    }
  })

/** All jobs can be stopped, and all permits are free then, and no more. */
const nothingIsLost = ({ manager, store }: Scene) =>
  Effect.gen(function* () {
    yield* manager.stopAll
    expect(yield* manager.activeCount).toBe(0)
    yield* Effect.replicateEffect(manager.start("works"), maxJobs)
    expect(yield* Effect.flip(manager.start("works"))).toMatchObject({ _tag: "MaxJobsReached" })
    expect(yield* manager.stopAll).toHaveLength(maxJobs)
    const left = yield* Effect.forEach(["running", "pending", "parked"] as const, (status) => store.list({ status }))
    expect(left.flat()).toEqual([])
  })

const intact = Effect.map(Audit.run({ maxJobs }), ({ violations }) => expect(violations).toEqual([]))

/** The layer opens a store for each operation; it may be the same one. */
export const interruptions = (layer: Layer.Layer<RunStore.RunStore | SqlClient.SqlClient>, steps: StepsOf): void => {
  describe("a manager whose caller is interrupted loses no permit, run or intent:", () => {
    for (const [n, [name, operation]] of Object.entries(operations).entries()) {
      it.live(
        name,
        () =>
          Effect.gen(function* () {
            const scene = yield* sceneOf(yield* make)
            yield* interruptedEverywhere(steps(n), () =>
              Effect.map(operation(scene), ({ after = () => Effect.void, call }) => ({
                call,
                check: (exit: Exit.Exit<unknown, unknown>) => Effect.zipRight(after(exit), scene.manager.stopAll)
              }))
            )
            yield* nothingIsLost(scene)
            yield* intact
          }).pipe(Effect.scoped, closing(layer)),
        longest
      )
    }
  })
}
