/** The steps of a job in a home that an application holds. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import { JobsApi, Server } from "charlotte/http"
import { Context, Effect, Layer, Schema } from "effect"
import * as Application from "./Application.js"

class Order extends JobKind.Tag<Order>()("order", { config: Schema.Struct({}) }) {}

const orders = Order.layer({
  run: ({ step }) =>
    Effect.zipRight(
      step("charge", Effect.succeed({ receipt: "r-17", note: "\u009b31mred" })),
      step("nothing", Effect.void)
    )
}).pipe(Layer.provideMerge(RunStore.layerMemory))

const make = Effect.gen(function* () {
  const api = JobsApi.make([Order])
  const { run, services } = yield* Application.serve((socket) =>
    Layer.provideMerge(Server.layer({ listen: { socket }, drain: 200, api }), orders)
  )
  const manager = Context.get(services, Order)
  const id = yield* manager.start({})
  yield* manager.await(id)
  return { id, run }
})

describe("charlotte show --step", () => {
  it.scopedLive("prints the value of a step, without control sequences, or with --json the step with its value", () =>
    Effect.gen(function* () {
      const { id, run } = yield* make
      expect((yield* run("show", id)).out).toMatch(/\n {2}✓ charge {2}\d+ ms\n {2}✓ nothing {2}\d+ ms\n/)
      expect(yield* run("show", id, "--step", "charge")).toMatchObject({
        code: 0,
        out: '{\n  "receipt": "r-17",\n  "note": "red"\n}\n'
      })
      expect(yield* run("show", id, "--step", "nothing")).toMatchObject({ code: 0, out: "" })
      const json = yield* run("show", id, "--step", "charge", "--json")
      expect(JSON.parse(json.out)).toMatchObject({ name: "charge", attempt: 1, ok: true, value: { receipt: "r-17" } })
    })
  )

  it.scopedLive("names the command that lists the steps, if there is none of that name", () =>
    Effect.gen(function* () {
      const { id, run } = yield* make
      const { code, err, out } = yield* run("show", id, "--step", "other")
      expect([code, out]).toEqual([2, ""])
      expect(err).toContain(`job ${id} has recorded no step other`)
      expect(err).toContain(`list its steps with: charlotte show ${id}`)
    })
  )
})
