/** The other modules of `@effect/workflow`, which know nothing of the engine. */
import * as PersistedQueue from "@effect/experimental/PersistedQueue"
import * as RateLimiter from "@effect/experimental/RateLimiter"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { RpcTest } from "@effect/rpc"
import { expect, it } from "@effect/vitest"
import { DurableQueue, DurableRateLimiter, Workflow, WorkflowProxy, WorkflowProxyServer } from "@effect/workflow"
import type { RunStore } from "charlotte"
import { Deferred, Effect, Layer, Option, Schema, TestClock } from "effect"
import { idempotencyKey, payload, reaches, Refused, runOf, stepsOf, Waiting, withEngine } from "../scene.js"

const Calls = DurableQueue.make({ name: "calls", payload, success: Schema.String, error: Refused, idempotencyKey })

const Careful = Workflow.make({ name: "Careful", payload, success: Schema.String, idempotencyKey }).annotate(
  Workflow.SuspendOnFailure,
  true
)

const served = [Waiting, Careful] as const

class Api extends HttpApi.make("api").add(WorkflowProxy.toHttpApiGroup("workflows", served)) {}

class Rpcs extends WorkflowProxy.toRpcGroup(served) {}

export const modules = (store: Layer.Layer<RunStore.RunStore>): void => {
  it.effect("are suspended until the worker of a DurableQueue has done their item, which it does once", () =>
    Effect.gen(function* () {
      const worked: Array<string> = []
      const open = yield* Deferred.make<void>()
      const worker = DurableQueue.worker(Calls, ({ id }) =>
        Effect.zipRight(
          Deferred.await(open),
          Effect.suspend(() => {
            worked.push(id)
            return id === "a" ? Effect.succeed("called a") : new Refused({ why: "no answer" })
          })
        )
      )
      const queues = Layer.provide(PersistedQueue.layer, PersistedQueue.layerStoreMemory)
      const workflows = Layer.merge(
        Waiting.toLayer(({ id }) => DurableQueue.process(Calls, { id })),
        worker
      )
      yield* Effect.gen(function* () {
        const ids = yield* Effect.forEach(["a", "b"], (id) => Waiting.execute({ id }, { discard: true }))
        for (const id of ids) {
          expect((yield* reaches(Waiting, id, "parked")).parked?.reason).toContain("DurableQueue/calls")
        }
        yield* Deferred.succeed(open, undefined)
        expect(yield* Waiting.execute({ id: "a" })).toBe("called a")
        expect(yield* Effect.flip(Waiting.execute({ id: "b" }))).toEqual(new Refused({ why: "no answer" }))
        for (const id of ids) expect(Option.getOrThrow(yield* runOf(Waiting, id)).attempt).toBe(2)
        expect(worked).toEqual(["a", "b"])
      }).pipe(withEngine(Layer.provide(workflows, queues)))
    }).pipe(Effect.provide(store))
  )

  it.effect("are suspended until a DurableRateLimiter lets them continue", () =>
    Effect.gen(function* () {
      const limits = Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory)
      const workflows = Waiting.toLayer(({ id }) =>
        DurableRateLimiter.rateLimit({ name: "calls", key: "calls", limit: 1, window: "10 minutes" }).pipe(
          Effect.orDie,
          Effect.as(`called ${id}`)
        )
      )
      yield* Effect.gen(function* () {
        expect(yield* Waiting.execute({ id: "a" })).toBe("called a")
        const id = yield* Waiting.execute({ id: "b" }, { discard: true })
        expect(yield* reaches(Waiting, id, "parked")).toMatchObject({ waitsFor: "time" })
        yield* TestClock.adjust("9 minutes")
        expect(yield* Waiting.poll(id)).toEqual(new Workflow.Suspended({}))
        yield* TestClock.adjust("1 minutes")
        expect(yield* Waiting.execute({ id: "b" })).toBe("called b")
        const run = Option.getOrThrow(yield* runOf(Waiting, id))
        expect(run.attempt).toBe(2)
        expect(yield* stepsOf(run.id)).toEqual([
          "clock/DurableRateLimiter/calls",
          "activity/DurableRateLimiter/calls/1",
          "exit"
        ])
      }).pipe(withEngine(Layer.provide(workflows, limits)))
    }).pipe(Effect.provide(store))
  )

  /** Workflows that answer, refuse, and suspend on a failure until they are mended. */
  const answering = (isMended: () => boolean) =>
    Layer.merge(
      Waiting.toLayer(({ id }) => (id === "Eve" ? new Refused({ why: "a stranger" }) : Effect.succeed(`hello ${id}`))),
      Careful.toLayer(() => Effect.suspend(() => (isMended() ? Effect.succeed("mended") : Effect.die("broken"))))
    )

  it.effect("are executed and resumed over HTTP by a WorkflowProxy", () =>
    Effect.gen(function* () {
      let isMended = false
      yield* Effect.gen(function* () {
        const { workflows } = yield* HttpApiClient.make(Api)
        expect(yield* workflows.Waiting({ payload: { id: "Ada" } })).toBe("hello Ada")
        expect(yield* Effect.flip(workflows.Waiting({ payload: { id: "Eve" } }))).toEqual(
          new Refused({ why: "a stranger" })
        )
        yield* workflows.CarefulDiscard({ payload: { id: "a" } })
        const executionId = yield* Careful.executionId({ id: "a" })
        yield* reaches(Careful, executionId, "parked")
        isMended = true
        yield* workflows.CarefulResume({ payload: { executionId } })
        expect(yield* Careful.execute({ id: "a" })).toBe("mended")
      }).pipe(
        Effect.provide(
          HttpApiBuilder.serve().pipe(
            Layer.provide(HttpApiBuilder.api(Api)),
            Layer.provide(WorkflowProxyServer.layerHttpApi(Api, "workflows", served)),
            Layer.provideMerge(NodeHttpServer.layerTest)
          )
        ),
        withEngine(answering(() => isMended))
      )
    }).pipe(Effect.provide(store))
  )

  it.scoped("are executed and resumed as remote procedures by a WorkflowProxy", () =>
    Effect.gen(function* () {
      let isMended = false
      yield* Effect.gen(function* () {
        const client = yield* RpcTest.makeClient(Rpcs)
        expect(yield* client.Waiting({ id: "Ada" })).toBe("hello Ada")
        expect(yield* Effect.flip(client.Waiting({ id: "Eve" }))).toEqual(new Refused({ why: "a stranger" }))
        yield* client.CarefulDiscard({ id: "a" })
        const executionId = yield* Careful.executionId({ id: "a" })
        yield* reaches(Careful, executionId, "parked")
        isMended = true
        yield* client.CarefulResume({ executionId })
        expect(yield* Careful.execute({ id: "a" })).toBe("mended")
      }).pipe(
        Effect.scoped,
        Effect.provide(WorkflowProxyServer.layerRpcHandlers(served)),
        withEngine(answering(() => isMended))
      )
    }).pipe(Effect.provide(store))
  )
}
