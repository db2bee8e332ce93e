/** The steps of a job over HTTP: page by page, and one with its value. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { Context, Effect, Layer, Schema } from "effect"
import { unknownId } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

/** 256 bytes that a path contains only encoded. */
const longName = `ä/%?${"ü".repeat(124)}...`

const orders = Order.layer({
  run: ({ step }) =>
    Effect.gen(function* () {
      for (const n of [1, 2, 3]) yield* step(`mail-${n}`, Effect.succeed(n))
      yield* step(longName, Effect.succeed({ receipt: "r-17" }))
      yield* step("nothing", Effect.void)
      yield* step("..", Effect.succeed("up"))
      yield* Effect.exit(step("refused", Effect.fail({ code: 3 })))
    })
}).pipe(Layer.provideMerge(RunStore.layerMemory))

/** A job that has ended, and a client of its server. */
const make = Effect.gen(function* () {
  const socket = `${yield* TemporaryDirectory.make}/socket`
  const api = Http.JobsApi.make([Order])
  const services = yield* Layer.build(
    Layer.provideMerge(Http.Server.layer({ listen: { socket }, drain: 200, api }), orders)
  )
  const manager = Context.get(services, Order)
  const id = yield* manager.start({})
  yield* manager.await(id)
  return { id, client: yield* Http.JobClient.make({ socket }) }
})

describe("the steps of a job over HTTP", () => {
  it.scopedLive("are listed in pages, in order, without their values", () =>
    Effect.gen(function* () {
      const { client, id } = yield* make
      const names = (page?: { readonly after?: number; readonly limit?: number }) =>
        Effect.map(client.steps(id, page), (steps) => steps.map(({ name }) => name))
      expect(yield* names()).toEqual(["mail-1", "mail-2", "mail-3", longName, "nothing", "..", "refused"])
      expect(yield* names({ after: 1, limit: 2 })).toEqual(["mail-2", "mail-3"])
      expect(yield* names({ after: 7 })).toEqual([])
      const [first] = yield* client.steps(id)
      expect({ ...first }).toEqual({
        ...{ seq: 1, name: "mail-1", jobId: id, attempt: 1, ok: true },
        ...{ at: expect.anything(), millis: expect.any(Number) }
      })
      expect(yield* Effect.flip(client.steps(unknownId))).toMatchObject({ _tag: "JobNotFound" })
    })
  )

  it.scopedLive("are shown with their value, whatever their name", () =>
    Effect.gen(function* () {
      const { client, id } = yield* make
      expect(yield* client.step(id, longName)).toMatchObject({ name: longName, ok: true, value: { receipt: "r-17" } })
      expect(yield* client.step(id, "..")).toMatchObject({ name: "..", value: "up" })
      expect(yield* client.step(id, "refused")).toMatchObject({ ok: false, value: { code: 3 } })
      expect((yield* client.step(id, "nothing")).value).toBeUndefined()
      const failed = yield* Effect.flip(client.step(id, "other"))
      expect(failed).toEqual(new Http.errors.StepNotFound({ jobId: id, step: "other" }))
      expect(yield* Effect.flip(client.step(unknownId, "mail-1"))).toMatchObject({ _tag: "JobNotFound" })
    })
  )
})
