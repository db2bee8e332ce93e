/**
 * What every engine does, whatever it is made of.
 */
import { describe, expect, it } from "@effect/vitest"
import type { JobId } from "charlotte"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Option, Ref, type Scope } from "effect"
import { JobNotFound, StopTimedOut, StoreError } from "../../../src/domain/errors.js"
import { type Service, Unrouted } from "../../../src/cluster/Engine.js"
import { poll, RealClock } from "../../../src/internal/RealClock.js"
import { ids, report, willing } from "./scene.js"

export interface Node {
  readonly engine: Service
  /** Leaves the cluster as a node does that shuts down. */
  readonly close: Effect.Effect<void>
}

export interface Cluster {
  /** Another node. */
  readonly join: Effect.Effect<Node>
}

const grace = Duration.seconds(5)
const kind = "email"

const within = <A, E>(millis: number, check: Effect.Effect<A, E>, until: (a: A) => boolean) =>
  poll(check, { until, pause: 20, atMost: millis })

const owners = (nodes: ReadonlyArray<Node>, jobId: JobId.JobId) =>
  nodes.filter(({ engine }) => engine.hasShard(jobId)).map(({ engine }) => engine.address)

/** The ids for which the nodes do not agree on one owner, as far as they can see by themselves and in common. */
const disagreements = (nodes: ReadonlyArray<Node>) =>
  Effect.gen(function* () {
    const wrong = new Set<string>()
    for (const { engine } of nodes) {
      const seen = yield* engine.nodesOf(ids)
      for (const [i, jobId] of ids.entries()) {
        const found = owners(nodes, jobId)
        if (found.length !== 1 || !Option.contains(seen[i] ?? Option.none(), found[0])) wrong.add(jobId)
      }
    }
    return [...wrong]
  })

/** Waits until each shard has one owner among the nodes, and all of them know. */
export const settled = (nodes: ReadonlyArray<Node>): Effect.Effect<void> =>
  within(
    60_000,
    Effect.gen(function* () {
      const left = yield* disagreements(nodes)
      const haveShares = nodes.every(({ engine }) => ids.some(engine.hasShard))
      return left.length === 0 && haveShares
    }),
    (isSettled) => isSettled
  ).pipe(
    Effect.orDie,
    Effect.map((isSettled) => expect(isSettled).toBe(true))
  )

/** A job of which that node has the shard. */
export const jobOf = ({ engine }: Node): JobId.JobId => ids.find(engine.hasShard) ?? expect.fail("it has no shard")

const nodesOf = (cluster: Cluster, count: number) =>
  Effect.gen(function* () {
    const nodes = yield* Effect.replicateEffect(cluster.join, count)
    yield* settled(nodes)
    return nodes
  })

const elapsed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { now } = yield* RealClock
    const began = yield* now
    const exit = yield* Effect.exit(effect)
    return [exit, (yield* now) - began] as const
  })

const failWith = <E>(error: E | undefined) =>
  error === undefined ? Effect.dieMessage("there is no more") : Effect.fail(error)

const unrouted = (jobId: JobId.JobId) => Exit.fail(new Unrouted({ jobId }))

export const conformance = (name: string, make: Effect.Effect<Cluster, never, Scope.Scope>): void => {
  const test = (title: string, run: (cluster: Cluster) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it.scopedLive(title, () => Effect.flatMap(make, run))

  describe(`the engine ${name}`, () => {
    test("gives each shard to one node, and all nodes know which, as nodes come and go", (cluster) =>
      Effect.gen(function* () {
        const [first] = yield* nodesOf(cluster, 1)
        if (first === undefined) return
        const second = yield* cluster.join
        yield* settled([first, second])
        const third = yield* cluster.join
        yield* settled([first, second, third])
        yield* second.close
        yield* settled([first, third])
        expect(ids.some(second.engine.hasShard)).toBe(false)
        yield* first.close
        yield* settled([third])
      }))

    test("answers no question about no job", (cluster) =>
      Effect.gen(function* () {
        const { engine } = yield* cluster.join
        expect(yield* engine.nodesOf([])).toEqual([])
      }))

    test("asks the node that has the shard, from every node", (cluster) =>
      Effect.gen(function* () {
        const nodes = yield* nodesOf(cluster, 3)
        const asked: Array<unknown> = []
        for (const { engine } of nodes) {
          const note = (...what: ReadonlyArray<unknown>) =>
            Effect.sync(() => void asked.push([engine.address, ...what]))
          yield* engine.serve(kind, {
            wake: (jobId) => note("wake", jobId),
            stop: (jobId, grace) => Effect.as(note("stop", jobId, Duration.toMillis(grace)), report(jobId))
          })
        }
        for (const owner of nodes) {
          const jobId = jobOf(owner)
          for (const { engine } of nodes) {
            const ask = engine.ask(kind)
            expect(yield* ask.stop(jobId, grace)).toEqual(report(jobId))
            expect(asked.splice(0)).toEqual([[owner.engine.address, "stop", jobId, 5_000]])
            yield* ask.wake(jobId)
            yield* within(
              60_000,
              Effect.sync(() => asked.length),
              (count) => count > 0
            )
            expect(asked.splice(0)).toEqual([[owner.engine.address, "wake", jobId]])
          }
        }
      }))

    test("asks the node of an address, whatever shards it has", (cluster) =>
      Effect.gen(function* () {
        const nodes = yield* nodesOf(cluster, 2)
        const [owner, other] = nodes
        if (owner === undefined || other === undefined) return
        const jobId = jobOf(owner)
        const asked: Array<string> = []
        yield* owner.engine.serve(kind, { ...willing, stop: () => Effect.dieMessage("this one is not asked") })
        const note = (what: string) => Effect.sync(() => void asked.push(what))
        yield* other.engine.serve(kind, {
          wake: () => note("wake"),
          stop: (jobId) => Effect.as(note("stop"), report(jobId))
        })
        for (const { engine } of nodes) {
          const ask = engine.ask(kind, other.engine.address)
          expect(yield* ask.stop(jobId, grace)).toEqual(report(jobId))
          yield* ask.wake(jobId)
          yield* within(
            60_000,
            Effect.sync(() => asked.length),
            (count) => count === 2
          )
          expect(asked.splice(0)).toEqual(["stop", "wake"])
          const [exit, millis] = yield* elapsed(engine.ask(kind, "no address").stop(jobId, grace))
          expect(exit).toEqual(unrouted(jobId))
          expect(millis).toBeLessThan(5_000)
        }
      }))

    test("carries every error, and keeps its type", (cluster) =>
      Effect.gen(function* () {
        const nodes = yield* nodesOf(cluster, 2)
        const [owner, other] = nodes
        if (owner === undefined || other === undefined) return
        const jobId = jobOf(owner)
        const storeError = new StoreError({
          operation: "stop",
          reason: "full",
          cause: new Error("kein Platz für Größe")
        })
        const errors = [
          new JobNotFound({ jobId }),
          new StopTimedOut({ jobId, elapsed: Duration.millis(1_500) }),
          storeError
        ]
        const next = yield* Ref.make(0)
        yield* owner.engine.serve(kind, {
          ...willing,
          stop: () => Effect.flatMap(Ref.get(next), (i) => failWith(errors[i]))
        })
        for (const { engine } of nodes) {
          for (const [i, error] of errors.entries()) {
            yield* Ref.set(next, i)
            const failure = yield* Effect.flip(engine.ask(kind).stop(jobId, grace))
            expect([failure, String(failure)]).toEqual([error, String(error)])
          }
        }
      }))

    test("lets no request wait for another about the same job, nor suffer from its defect", (cluster) =>
      Effect.gen(function* () {
        const [owner, other] = yield* nodesOf(cluster, 2)
        if (owner === undefined || other === undefined) return
        const jobId = jobOf(owner)
        const isLast = yield* Deferred.make<void>()
        const count = yield* Ref.make(0)
        yield* owner.engine.serve(kind, {
          ...willing,
          stop: (jobId, grace) =>
            Effect.gen(function* () {
              if (Duration.equals(grace, Duration.zero)) return yield* Effect.dieMessage("a defect of the handler")
              if ((yield* Ref.updateAndGet(count, (n) => n + 1)) === 50) yield* Deferred.succeed(isLast, undefined)
              yield* Deferred.await(isLast)
              return report(jobId)
            })
        })
        const stops = yield* Effect.fork(
          Effect.all(
            Array.from({ length: 49 }, () => other.engine.ask(kind).stop(jobId, grace)),
            { concurrency: "unbounded" }
          )
        )
        yield* within(60_000, Ref.get(count), (n) => n === 49)
        const exit = yield* Effect.exit(other.engine.ask(kind).stop(jobId, Duration.zero))
        expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("a defect of the handler")
        expect(yield* other.engine.ask(kind).stop(jobId, grace)).toEqual(report(jobId))
        expect(yield* Fiber.join(stops)).toHaveLength(49)
      }))

    test("goes on to stop a job when the caller is interrupted", (cluster) =>
      Effect.gen(function* () {
        const nodes = yield* nodesOf(cluster, 2)
        const [owner] = nodes
        if (owner === undefined) return
        const jobId = jobOf(owner)
        for (const { engine } of nodes) {
          const began = yield* Deferred.make<void>()
          const proceeds = yield* Deferred.make<void>()
          const ended = yield* Deferred.make<string>()
          yield* owner.engine.serve(kind, {
            ...willing,
            stop: (jobId) =>
              Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(proceeds)).pipe(
                Effect.as(report(jobId)),
                Effect.onExit((exit) => Deferred.succeed(ended, exit._tag))
              )
          })
          const asking = yield* Effect.fork(engine.ask(kind).stop(jobId, grace))
          yield* Deferred.await(began)
          yield* Fiber.interrupt(asking)
          yield* Deferred.succeed(proceeds, undefined)
          expect(yield* Deferred.await(ended)).toBe("Success")
        }
      }))

    test("asks again where a node says that it does not have the job, for a while", (cluster) =>
      Effect.gen(function* () {
        const nodes = yield* nodesOf(cluster, 2)
        const [owner] = nodes
        if (owner === undefined) return
        const jobId = jobOf(owner)
        for (const { engine } of nodes) {
          const tries = yield* Ref.make(0)
          yield* owner.engine.serve(kind, {
            ...willing,
            stop: (jobId) =>
              Effect.flatMap(
                Ref.updateAndGet(tries, (n) => n + 1),
                (n) => (n < 3 ? new Unrouted({ jobId }) : Effect.succeed(report(jobId)))
              )
          })
          expect(yield* engine.ask(kind).stop(jobId, grace)).toEqual(report(jobId))
          expect(yield* Ref.get(tries)).toBe(3)
          yield* owner.engine.serve(kind, { ...willing, stop: (jobId) => new Unrouted({ jobId }) })
          const [exit, millis] = yield* elapsed(engine.ask(kind).stop(jobId, grace))
          expect(exit).toEqual(unrouted(jobId))
          expect(millis).toBeLessThan(5_000)
        }
      }))

    test("says soon that no node manages jobs of a kind, and wakes none", (cluster) =>
      Effect.gen(function* () {
        const nodes = yield* nodesOf(cluster, 2)
        const [owner] = nodes
        if (owner === undefined) return
        const jobId = jobOf(owner)
        for (const { engine } of nodes) {
          yield* engine.ask("unknown").wake(jobId)
          const [exit, millis] = yield* elapsed(engine.ask("unknown").stop(jobId, grace))
          expect(exit).toEqual(unrouted(jobId))
          expect(millis).toBeLessThan(5_000)
        }
      }))

    test("asks the node that has the shards of one that has left", (cluster) =>
      Effect.gen(function* () {
        const [first, second] = yield* nodesOf(cluster, 2)
        if (first === undefined || second === undefined) return
        const jobId = jobOf(first)
        const began = yield* Deferred.make<void>()
        yield* first.engine.serve(kind, {
          ...willing,
          stop: () => Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
        })
        yield* second.engine.serve(kind, willing)
        const stop = yield* Effect.fork(second.engine.ask(kind).stop(jobId, grace))
        yield* Deferred.await(began)
        yield* first.close
        const [exit, millis] = yield* elapsed(Fiber.join(stop))
        // The other node may take the shard in time for another try, or not.
        expect([Exit.succeed(report(jobId)), unrouted(jobId)]).toContainEqual(exit)
        expect(millis).toBeLessThan(5_000)
        yield* settled([second])
        expect(yield* second.engine.ask(kind).stop(jobId, grace)).toEqual(report(jobId))
      }))
  })
}
