import { describe, expect, it } from "@effect/vitest"
import { JobId, type Orchestrator, RunStore } from "charlotte"
import { Chunk, DateTime, Deferred, Duration, Effect, Fiber, Stream } from "effect"
import { id, newRun } from "../store/runs.js"
import * as Scene from "./scene.js"

const { kind } = Scene

const start = (name: string) => ({ name })

/** Two nodes that have their shards. */
const two = Effect.gen(function* () {
  const scene = yield* Scene.make
  const a = yield* scene.node("a")
  const b = yield* scene.node("b")
  return { ...scene, a, b }
})

describe("a cluster", () => {
  it.scoped("runs a job on the node with most room, whichever is asked to start it", () =>
    Effect.gen(function* () {
      const { a, b, passing, worked } = yield* two
      for (const n of [1, 2, 3, 4]) yield* passing(a.manager.start(start(`job ${n}`)))
      const working = yield* worked(4)
      expect(working.filter(({ address }) => address === b.address)).toHaveLength(2)
      expect(yield* b.manager.activeCount).toBe(4)
      expect(yield* b.manager.list).toEqual(yield* a.manager.list)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("runs no more jobs than the limit, over all nodes", () =>
    Effect.gen(function* () {
      const { a, b, complete, passing, until, worked } = yield* two
      const starts = Array.from({ length: 20 }, (_, n) =>
        Effect.either((n % 2 === 0 ? a : b).manager.start(start(`${n}`)))
      )
      const answers = yield* passing(Effect.all(starts, { concurrency: "unbounded" }))
      const ids = answers.flatMap((answer) => (answer._tag === "Right" ? [answer.right] : []))
      expect(ids).toHaveLength(4)
      yield* worked(4)
      const queued = yield* passing(b.manager.start(start("later"), { whenFull: "queue" }))
      yield* complete(ids[0] ?? queued)
      yield* until("the queued job runs", a.manager.list, (list) => list.includes(queued))
      yield* worked(4)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("loses a node that closes, if that was made where nothing can be interrupted", () =>
    Effect.gen(function* () {
      const { node, passing } = yield* Scene.make
      const { close, manager } = yield* Effect.uninterruptible(node("a", { retention: { completed: "1 day" } }))
      yield* passing(manager.start(start("job")))
      yield* passing(close)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("begins on any node a run that is due and whose shard belongs to no live node of its kind", () =>
    Effect.gen(function* () {
      const { a, b, network, store, until } = yield* two
      // It has shards, and no manager of the kind.
      const other = yield* network.join("other:1")
      const ids = Array.from({ length: 64 }, (_, n) => id(n + 1))
        .filter(other.hasShard)
        .slice(0, 3)
      for (const [n, id] of ids.entries()) {
        yield* store.create({ ...newRun(n + 1, { config: start("job"), isQueued: true }), id, kind })
      }
      yield* until("they run", a.manager.list, (list) => ids.every((id) => list.includes(id)))
      expect(yield* b.manager.activeCount).toBe(3)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("stops a job on one node that was started on a second, while a third follows it", () =>
    Effect.gen(function* () {
      const scene = yield* two
      const c = yield* scene.node("c")
      const id = yield* scene.passing(scene.a.manager.start(start("job")))
      const [{ address } = { address: "" }] = yield* scene.worked(1)
      const asked = [scene.a, scene.b, c].find((node) => node.address !== address) ?? c
      const followed = yield* Effect.fork(Stream.runCollect(c.manager.events(id)))
      const awaited = yield* Effect.fork(c.manager.await(id))
      const report = yield* scene.passing(asked.manager.stop(id))
      expect(report).toMatchObject({ jobId: id, mode: "graceful", status: "cancelled" })
      expect(yield* scene.working).toEqual([])
      const events = Chunk.toReadonlyArray(yield* scene.passing(Fiber.join(followed)))
      expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual([
        "1 job.started",
        "2 begun",
        "3 job.stopping",
        "4 job.cancelled"
      ])
      expect(yield* scene.passing(Fiber.join(awaited))).toMatchObject({ status: "cancelled" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("continues the jobs of a node that was killed on others, once it is dead", () =>
    Effect.gen(function* () {
      const { a, b, network, pass, passing, store, until, worked, working } = yield* two
      for (const n of [1, 2, 3, 4]) yield* passing(a.manager.start(start(`job ${n}`)))
      yield* worked(4)
      yield* b.kill
      yield* pass(5_000)
      yield* network.expire(b.address)
      // Not before ten seconds without a sign of life, also where others have its shards.
      yield* pass(3_000)
      expect((yield* working).filter(({ attempt }) => attempt > 1)).toEqual([])
      yield* until(
        "its jobs run elsewhere",
        working,
        (all) => all.filter(({ address, attempt }) => address === a.address && attempt === 2).length === 2
      )
      expect(yield* store.cluster.held(kind)).toHaveLength(4)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("gives no more jobs to a node that has been silent for a few seconds, before that is dead", () =>
    Effect.gen(function* () {
      const { a, b, pass, passing, worked } = yield* two
      yield* b.kill
      yield* pass(4_000)
      for (const n of [1, 2, 3]) yield* passing(a.manager.start(start(`job ${n}`)))
      expect((yield* worked(3)).map(({ address, attempt }) => [address, attempt])).toEqual(
        [1, 2, 3].map(() => [a.address, 1])
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("lets go of its jobs when the database does not answer for its lease, and goes on when it does again", () =>
    Effect.gen(function* () {
      const { a, b, complete, pass, passing, until, worked, working } = yield* two
      for (const n of [1, 2, 3, 4]) yield* passing(a.manager.start(start(`job ${n}`)))
      yield* worked(4)
      yield* b.cutOff
      yield* pass(6_200)
      expect((yield* working).filter(({ address }) => address === b.address)).toEqual([])
      yield* b.reconnect
      // Long enough for a heartbeat, before which it gets no job.
      yield* pass(3_000)
      // The other node may have begun all of them, since it takes what is due while this one is away: a new job finds room here.
      const [one] = yield* worked(4)
      yield* complete(one?.id ?? (yield* Effect.dieMessage("no job")))
      yield* until("one has ended", working, ({ length }) => length === 3)
      yield* passing(a.manager.start(start("job 5")))
      yield* until("both nodes work", working, (all) => new Set(all.map(({ address }) => address)).size === 2)
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("lets go of a job whose beginning is answered after its lease, when another node continues it", () =>
    Effect.gen(function* () {
      const { a, b, network, pass, passing, until, worked, working } = yield* two
      yield* b.silentAfter("take")
      for (const n of [1, 2]) yield* passing(a.manager.start(start(`job ${n}`)))
      yield* worked(1)
      yield* network.expire(b.address)
      yield* until("it runs elsewhere", working, (all) => all.some(({ attempt }) => attempt === 2))
      yield* b.hear
      yield* pass(3_000)
      expect((yield* working).map(({ address }) => address)).toEqual([a.address, a.address])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("continues a job that has reached its time limit after its node had lost its lease", () =>
    Effect.gen(function* () {
      const { node, pass, passing } = yield* Scene.make
      const released = yield* Deferred.make<void>()
      const run: Orchestrator.Service<unknown>["run"] = ({ attempt }) =>
        attempt > 1 ? Effect.void : Effect.onInterrupt(Effect.never, () => Deferred.await(released))
      const { cutOff, manager, reconnect } = yield* node("a", { orchestrator: { run }, timeout: "8 seconds" })
      const id = yield* passing(manager.start(start("job")))
      yield* pass(100)
      yield* cutOff
      yield* pass(9_000)
      yield* reconnect
      yield* Deferred.succeed(released, undefined)
      expect(yield* passing(manager.await(id))).toMatchObject({ status: "completed", attempt: 2 })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("awaits the end of a job that its own node has let go of", () =>
    Effect.gen(function* () {
      const { a, b, complete, passing, pass, until, worked, working } = yield* two
      const ids = yield* Effect.forEach([1, 2], (n) => passing(a.manager.start(start(`job ${n}`))))
      const [job] = (yield* worked(2)).filter(({ address }) => address === b.address)
      const id = job?.id ?? ids[0] ?? (yield* Effect.dieMessage("no job"))
      const awaited = yield* Effect.fork(b.manager.await(id))
      yield* pass(100)
      yield* b.cutOff
      yield* pass(6_200)
      yield* b.reconnect
      yield* until("it works again", working, (all) => all.some((other) => other.id === id && other.attempt === 2))
      yield* complete(id)
      expect(yield* passing(Fiber.join(awaited))).toMatchObject({ status: "completed", attempt: 2 })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("interrupts an attempt whose job was taken over, as soon as an event of it is refused", () =>
    Effect.gen(function* () {
      const { node, pass, passing, store } = yield* Scene.make
      const taken = yield* Deferred.make<void>()
      const done = yield* Deferred.make<void>()
      const working = new Set<number>()
      const run: Orchestrator.Service<unknown>["run"] = ({ attempt, emit }) =>
        Effect.gen(function* () {
          yield* Effect.acquireRelease(
            Effect.sync(() => working.add(attempt)),
            () => Effect.sync(() => working.delete(attempt))
          )
          if (attempt > 1) return yield* Deferred.await(done)
          yield* Deferred.await(taken)
          yield* emit({ type: "late" })
          return yield* Effect.never
        })
      const a = yield* node("a", { orchestrator: { run } })
      yield* node("b", { orchestrator: { run } })
      const id = yield* passing(a.manager.start(start("job")))
      yield* pass(100)
      expect([...working]).toEqual([1])
      yield* store.record({ type: "job.interrupted", jobId: id, attempt: 1, at: yield* DateTime.now })
      yield* pass(2_000)
      expect(working).toContain(1)
      yield* Deferred.succeed(taken, undefined)
      yield* pass(100)
      expect(working).not.toContain(1)
      yield* Deferred.succeed(done, undefined)
      expect(yield* passing(a.manager.await(id))).toMatchObject({ status: "completed", attempt: 2 })
      const page = yield* Effect.flatten(store.events({ kind, jobId: id, after: 0, limit: 10 }))
      expect(page.events.map(({ type }) => type)).toEqual([
        "job.started",
        "job.interrupted",
        "job.resumed",
        "job.completed"
      ])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("moves the jobs of a node that closes to the others", () =>
    Effect.gen(function* () {
      const { a, b, passing, until, worked, working } = yield* two
      for (const n of [1, 2, 3, 4]) yield* passing(a.manager.start(start(`job ${n}`)))
      yield* worked(4)
      yield* passing(b.close)
      yield* until(
        "the others work",
        working,
        (all) => all.length === 4 && all.every(({ address }) => address === a.address)
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("continues its own jobs when it is started again at its address after it was killed", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make
      const before = yield* scene.node("a")
      const id = yield* scene.passing(before.manager.start(start("job")))
      yield* scene.worked(1)
      yield* before.kill
      yield* scene.network.expire(before.address)
      const after = yield* scene.passing(scene.node("a"))
      yield* scene.until("it runs again", scene.working, (all) =>
        all.some((working) => working.id === id && working.attempt === 2)
      )
      expect(yield* after.manager.list).toEqual([id])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("clears at its start what attempts that are over have left, and nothing of those that run", () =>
    Effect.gen(function* () {
      const { a, complete, node, passing, store, worked } = yield* two
      const running = yield* passing(a.manager.start(start("runs")))
      const over = yield* passing(a.manager.start(start("is over")))
      yield* worked(2)
      yield* complete(over)
      yield* worked(1)
      for (const jobId of [running, over]) {
        const process = { cookie: jobId, jobId, attempt: 1, bootId: "boot", purpose: "test", at: yield* DateTime.now }
        yield* store.childProcesses.open(process)
      }
      const recovered: Array<readonly [JobId.JobId, number]> = []
      const recover = (id: JobId.JobId, attempt: number) => Effect.sync(() => void recovered.push([id, attempt]))
      yield* passing(node("c", { orchestrator: { run: () => Effect.never, recover } }))
      expect(new Map(recovered)).toEqual(
        new Map([
          [running, 0],
          [over, 1]
        ])
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("refuses a second node of one address while the first is alive", () =>
    Effect.gen(function* () {
      const { node, passing } = yield* two
      expect(yield* Effect.flip(passing(node("a")))).toMatchObject({ _tag: "NodeConflict", address: "a:1" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("sends a signal to a job that has parked on another node, and continues it", () =>
    Effect.gen(function* () {
      const { a, b, passing, store, until, working } = yield* two
      const id = yield* passing(a.manager.start(start("parks")))
      const status = Effect.map(Effect.orDie(Effect.flatten(store.get(id))), ({ status }) => status)
      yield* until("it is parked", status, (status) => status === "parked")
      yield* passing(b.manager.signal(id, "go"))
      yield* until("it works again", working, (all) => all.some(({ attempt }) => attempt === 2))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("continues an interrupted job on the node with most room, where the one that has its shard is full", () =>
    Effect.gen(function* () {
      const { node, passing, until, working } = yield* Scene.make
      const manual = { capacity: 1, recovery: "manual" } as const
      const nodes = [yield* node("a", manual), yield* node("b", manual)] as const
      const closed = yield* node("c", manual)
      const id = yield* passing(closed.manager.start(start("interrupted")))
      yield* passing(closed.close)
      const [owner, other] = nodes[0].engine.hasShard(id) ? nodes : [nodes[1], nodes[0]]
      yield* passing(owner.manager.start(start("fills it")))
      yield* passing(owner.manager.resume(id))
      yield* until("it works again", working, (all) =>
        all.some((own) => own.id === id && own.attempt === 2 && own.address === other.address)
      )
      expect(yield* Effect.flip(passing(other.manager.resume(id)))).toMatchObject({ _tag: "NotResumable" })
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("resumes a parked job on the node that has its shard, whichever is asked", () =>
    Effect.gen(function* () {
      const { a, b, passing, store, until, working } = yield* two
      const id = yield* passing(a.manager.start(start("parks")))
      const status = Effect.map(Effect.orDie(Effect.flatten(store.get(id))), ({ status }) => status)
      yield* until("it is parked", status, (status) => status === "parked")
      const [owner, other] = a.engine.hasShard(id) ? [a, b] : [b, a]
      yield* passing(other.manager.resume(id))
      yield* until("it works again", working, (all) =>
        all.some(({ address, attempt }) => attempt === 2 && address === owner.address)
      )
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("continues an attempt that a node has taken without knowing, since the answer was lost", () =>
    Effect.gen(function* () {
      const { node, store, until, working } = yield* Scene.make
      const { address } = yield* node("a")
      const [own] = yield* store.cluster.nodes(kind)
      const taker = { node: own?.id ?? "", address, capacity: 4, trace: undefined }
      const candidate = { id: JobId.make("01ARZ3NDEKTSV4RRFFQ69G0001"), address, capacity: 4 }
      yield* store.cluster.admit(
        { kind, key: undefined, config: start("job"), labels: {}, at: DateTime.unsafeMake(0) },
        { candidates: [candidate], whenFull: "refuse", waiting: [] },
        taker
      )
      yield* until("it works", working, (all) => all.some(({ attempt }) => attempt === 2))
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("ends no job at 10,000 forged requests to stop it", () =>
    Effect.gen(function* () {
      const { a, b, passing, worked, working } = yield* two
      const id = yield* passing(a.manager.start(start("job")))
      const [own] = yield* worked(1)
      const forged = b.engine.ask(kind, own?.address).stop(id, Duration.zero)
      // The lease is measured by the wall clock, too: on a busy machine, all of them take longer than that.
      const some = Effect.zipLeft(Effect.replicateEffect(Effect.flip(forged), 1_000), passing(Effect.sleep("1 second")))
      const answers = (yield* Effect.replicateEffect(some, 10)).flat()
      expect(new Set(answers.map(({ _tag }) => _tag))).toEqual(new Set(["Unrouted"]))
      yield* passing(Effect.sleep("2 seconds"))
      expect(yield* working).toEqual([own])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
