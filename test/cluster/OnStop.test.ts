/** A stop of a job that waits, of a kind whose jobs run once more to compensate, on the nodes of a cluster. */
import { describe, expect, it } from "@effect/vitest"
import { type Orchestrator, RunStore } from "charlotte"
import { Deferred, Effect, Fiber } from "effect"
import * as Scene from "./scene.js"

type Work = Orchestrator.Service<{ readonly name: string }>["run"]

/** Two nodes whose jobs park, and compensate once they are stopped; `begun` completes with the address of the node that does. */
const two = Effect.gen(function* () {
  const scene = yield* Scene.make
  const [begun, again] = [yield* Deferred.make<string>(), yield* Deferred.make<string>()]
  const mayEnd = yield* Deferred.make<void>()
  const node = (name: string) => {
    const run: Work = ({ park, stopping }) =>
      Effect.gen(function* () {
        if (!(yield* stopping)) return yield* park({ reason: "waits", signal: "go" })
        if (!(yield* Deferred.succeed(begun, `${name}:1`))) yield* Deferred.succeed(again, `${name}:1`)
        yield* Deferred.await(mayEnd)
      })
    return scene.node(name, { onStop: "run", orchestrator: { run } })
  }
  const [a, b] = [yield* node("a"), yield* node("b")]
  const id = yield* scene.passing(a.manager.start({ name: "order" }))
  yield* scene.until(
    "it is parked",
    Effect.orDie(Effect.flatten(scene.store.get(id))),
    (run) => run.status === "parked"
  )
  const types = Effect.map(scene.store.lifecycle(id), (events) => events.map(({ type }) => type))
  return { ...scene, a, b, id, begun, again, mayEnd, types }
})

describe("a stop of a waiting job that runs for it, in a cluster", () => {
  it.scoped("runs one more attempt on some node, which no sweep ends, and cancels the job when that has ended", () =>
    Effect.gen(function* () {
      const { b, begun, id, mayEnd, pass, passing, types } = yield* two
      const stop = yield* Effect.fork(b.manager.stop(id, { grace: "10 minutes" }))
      yield* passing(Deferred.await(begun))
      yield* pass(5_000)
      expect((yield* types).slice(-2)).toEqual(["job.resumed", "job.stopping"])
      yield* Deferred.succeed(mayEnd, undefined)
      expect(yield* passing(Fiber.join(stop))).toMatchObject({ status: "cancelled", mode: "graceful" })
      expect(yield* types).toEqual(["job.started", "job.parked", "job.resumed", "job.stopping", "job.cancelled"])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )

  it.scoped("goes on on another node if its own dies", () =>
    Effect.gen(function* () {
      const { a, again, b, begun, id, mayEnd, network, passing, types } = yield* two
      const [dies, lives] =
        (yield* passing(
          Effect.zipRight(
            Effect.fork(Effect.ignore(b.manager.stop(id, { grace: "10 minutes" }))),
            Deferred.await(begun)
          )
        )) === a.address
          ? [a, b]
          : [b, a]
      yield* dies.kill
      yield* network.expire(dies.address)
      expect(yield* passing(Deferred.await(again))).toBe(lives.address)
      yield* Deferred.succeed(mayEnd, undefined)
      expect(yield* passing(lives.manager.await(id))).toMatchObject({ status: "cancelled", attempt: 3 })
      expect((yield* types).slice(-4)).toEqual([...["job.interrupted", "job.resumed", "job.stopping", "job.cancelled"]])
    }).pipe(Effect.provide(RunStore.layerMemory))
  )
})
