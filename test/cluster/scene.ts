/**
 * Nodes of a cluster in one process, on one store in memory and under a `TestClock`.
 */
import { type JobId, type Orchestrator, RunStore } from "charlotte"
import { StoreError } from "charlotte/errors"
import { Deferred, Effect, Exit, Fiber, Predicate, Ref, Schema, Scope, TestClock } from "effect"
import * as ClusterManager from "../../src/cluster/ClusterManager.js"
import { Engine } from "../../src/cluster/Engine.js"
import { RealClock } from "../../src/internal/RealClock.js"
import * as MemoryEngine from "./MemoryEngine.js"

export const kind = "work"

const Config = Schema.Struct({ name: Schema.String })

interface Gate {
  state: "open" | "cut" | "silent" | "dead"
  /** It is silent once this operation is done, and has not answered it. */
  silentAfter: string | undefined
  /** Returns when it is no longer silent. */
  readonly reopened: Deferred.Deferred<void>
  /** Returns at the end of the test. */
  readonly buried: Deferred.Deferred<void>
}

const closed = new StoreError({ operation: "use the store", reason: "unreachable", cause: new Error("it is cut off") })

/** A store that a node can be cut off from: its calls fail, wait, or, once the node is dead, never return. */
const gated = <S extends object>(store: S, gate: Gate): S =>
  new Proxy(store, {
    get: (target, key, receiver) => {
      const value: unknown = Reflect.get(target, key, receiver)
      const through = (effect: Effect.Effect<unknown, unknown, unknown>) =>
        Effect.suspend((): Effect.Effect<unknown, unknown, unknown> => {
          switch (gate.state) {
            case "open":
              if (key !== gate.silentAfter) return effect
              gate.state = "silent"
              return Effect.zipLeft(effect, Deferred.await(gate.reopened))
            case "cut":
              return closed
            case "silent":
              return Effect.zipRight(Deferred.await(gate.reopened), effect)
            case "dead":
              return Effect.zipRight(Deferred.await(gate.buried), closed)
          }
        })
      if (["clockAhead", "now", "outbox", "outsideTransaction", "disconnect", "oldestWrite"].includes(String(key)))
        return value
      if (Effect.isEffect(value)) return through(value)
      if (typeof value === "function") {
        return (...args: ReadonlyArray<unknown>) => {
          const answer: unknown = Reflect.apply(value, target, args)
          return Effect.isEffect(answer) ? through(answer) : answer
        }
      }
      return Predicate.isReadonlyRecord(value) && key === "cluster" ? gated(value, gate) : value
    }
  })

/** An attempt that some node works at. */
export interface Working {
  readonly id: JobId.JobId
  readonly attempt: number
  readonly address: string
}

export const make = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const network = yield* MemoryEngine.make
  const working = yield* Ref.make<ReadonlyArray<Working>>([])
  const done = yield* Ref.make<ReadonlyMap<JobId.JobId, Deferred.Deferred<void>>>(new Map())
  const wall = yield* RealClock
  // A node loses its lease by the clock of the machine as well, which goes on while that of the test stands still.
  const machine = { ...wall, now: (yield* Effect.clock).currentTimeMillis }
  const scope = yield* Effect.scope

  const end = (id: JobId.JobId) =>
    Effect.flatMap(Deferred.make<void>(), (made) =>
      Effect.map(
        Ref.modify(done, (all) => {
          const known = all.get(id) ?? made
          return [known, new Map([...all, [id, known]])]
        }),
        (deferred) => deferred
      )
    )

  const orchestrator = (address: string): Orchestrator.Service<typeof Config.Type> => ({
    run: ({ attempt, config: { name }, emit, id, park }) =>
      Effect.gen(function* () {
        const own = { id, attempt, address }
        yield* Effect.acquireRelease(
          Ref.update(working, (all) => [...all, own]),
          () => Ref.update(working, (all) => all.filter((other) => other !== own))
        )
        yield* emit({ type: "begun", payload: { address, attempt } })
        if (name === "parks" && attempt === 1) return yield* park({ reason: "it waits", signal: "go" })
        yield* Effect.flatMap(end(id), Deferred.await)
      })
  })

  /** At the end of the test what is dead has to end, too. */
  const bury = (buried: Deferred.Deferred<void>) => Scope.addFinalizer(scope, Deferred.succeed(buried, undefined))

  const node = (
    name: string,
    options: Partial<ClusterManager.MakeOptions<typeof Config.Type, typeof Config.Encoded>> = {}
  ) =>
    Effect.gen(function* () {
      const address = `${name}:1`
      const buried = yield* Deferred.make<void>()
      const reopened = yield* Deferred.make<void>()
      const gate: Gate = { state: "open", silentAfter: undefined, reopened, buried }
      const own = yield* Scope.fork(scope, { _tag: "Sequential" })
      const { engine, manager } = yield* Effect.gen(function* () {
        const engine = yield* network.join(address)
        const manager = yield* ClusterManager.make({
          kind,
          config: Config,
          orchestrator: orchestrator(address),
          stopGrace: "1 second",
          maxJobs: 4,
          ...options
        }).pipe(Effect.provideService(Engine, engine))
        return { engine, manager }
      }).pipe(
        Effect.provideService(RunStore.RunStore, gated(store, gate)),
        Effect.provideService(RealClock, machine),
        Scope.extend(own)
      )
      const become = (to: Gate["state"]) => Effect.sync(() => void (gate.state = to))
      return {
        manager,
        engine,
        address,
        /** As kill -9: it does nothing more, and its shards are others' once its locks have expired. */
        kill: Effect.all([become("dead"), network.cut(address), bury(buried)], { discard: true }),
        /** The database does not answer it. */
        cutOff: become("cut"),
        reconnect: become("open"),
        /** From the end of its next operation of that name on, the database does not answer it, until it is heard again. */
        silentAfter: (name: string) => Effect.sync(() => void (gate.silentAfter = name)),
        hear: Effect.sync(() => {
          gate.silentAfter = undefined
          gate.state = "open"
        }).pipe(Effect.zipRight(Deferred.succeed(reopened, undefined))),
        close: Scope.close(own, Exit.void)
      }
    })

  /** Time passes until it is so: at most a minute of it. */
  const until = <A, E>(what: string, check: Effect.Effect<A, E>, isSo: (found: A) => boolean): Effect.Effect<A, E> =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 600; steps++) {
        const found = yield* check
        if (isSo(found)) return found
        yield* TestClock.adjust(100)
        yield* wall.turn
      }
      return yield* Effect.dieMessage(`${what}: not within a minute, but ${JSON.stringify(yield* check)}`)
    })

  /** Runs an effect while time passes. */
  const passing = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(effect)
      yield* until(
        "the effect has ended",
        Effect.map(Fiber.poll(fiber), (exit) => exit._tag === "Some"),
        (is) => is
      )
      return yield* Fiber.join(fiber)
    })

  const pass = (millis: number) =>
    Effect.repeatN(Effect.zipRight(TestClock.adjust(100), wall.turn), Math.ceil(millis / 100))

  return {
    store,
    network,
    node,
    until,
    pass,
    passing,
    working: Ref.get(working),
    complete: (id: JobId.JobId) => Effect.flatMap(end(id), (deferred) => Deferred.succeed(deferred, undefined)),
    /** Waits until so many attempts are worked at. */
    worked: (count: number) => until(`${count} are worked at`, Ref.get(working), (all) => all.length === count)
  }
})
