/** The limit on a configuration, a result and an event. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, JobManager, RunStore } from "charlotte"
import { Effect, Layer, Schema } from "effect"

const MiB = 1024 * 1024

const Does = Schema.Struct({ text: Schema.String, does: Schema.Literal("nothing", "emit", "succeed") })

class Work extends JobKind.Tag<Work>()("work", { config: Does, success: Schema.String }) {}

class Large extends JobKind.Tag<Large>()("large", { config: Does, maxBytes: 2 * MiB }) {}

/** A text that has that many bytes in JSON. */
const text = (bytes: number) => "ü".repeat((bytes - 2) / 2)

const run = ({
  config: { does },
  emit
}: {
  readonly config: typeof Does.Type
  readonly emit: (event: { readonly type: string; readonly payload: unknown }) => Effect.Effect<void>
}) =>
  Effect.gen(function* () {
    if (does === "emit") yield* emit({ type: "told", payload: text(MiB + 2) })
    return does === "succeed" ? text(MiB + 2) : ""
  })

const layer = Layer.merge(Work.layer({ run }), Large.layer({ run })).pipe(Layer.provide(RunStore.layerMemory))

describe("the limit on what a job records", () => {
  it.effect("refuses a larger configuration at the manager and at the producer, and names the sizes", () =>
    Effect.gen(function* () {
      const config = { text: text(MiB), does: "nothing" } as const
      const problem = /^invalid job configuration: has 1048\d{3} bytes of JSON, and maxBytes of its kind is 1048576$/
      for (const started of [(yield* Work).start(config), (yield* Work.Producer).start(config)]) {
        const { _tag, message } = yield* Effect.flip(started)
        expect([_tag, message]).toEqual(["InvalidJobConfig", expect.stringMatching(problem)])
      }
      const large = yield* Large
      expect((yield* large.await(yield* large.start(config))).status).toBe("completed")
      const producer = yield* Large.Producer
      expect((yield* large.await(yield* producer.start(config))).status).toBe("completed")
    }).pipe(Effect.provide(layer))
  )

  it.effect("makes a larger result or event a defect of the job, which names the sizes", () =>
    Effect.gen(function* () {
      const [work, large] = [yield* Work, yield* Large]
      const problem = "has 1048578 bytes of JSON, and maxBytes of its kind is 1048576"
      for (const [does, what] of [
        ["succeed", "the result"],
        ["emit", "the payload of event told"]
      ] as const) {
        expect(yield* work.await(yield* work.start({ text: "", does }))).toMatchObject({
          status: "failed",
          error: { kind: "defect", cause: expect.stringContaining(`${what} ${problem}`) }
        })
        expect((yield* large.await(yield* large.start({ text: "", does }))).status).toBe("completed")
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("holds for a manager without a kind, and is a whole number", () =>
    Effect.gen(function* () {
      const make = (maxBytes: number) =>
        JobManager.make({ kind: "n", config: Schema.String, maxBytes, orchestrator: { run: () => Effect.void } })
      const manager = yield* make(4)
      expect(yield* Effect.flip(manager.start("abc"))).toMatchObject({ _tag: "InvalidJobConfig" })
      yield* manager.start("ab")
      expect(String(yield* Effect.exit(make(0.5)))).toContain("maxBytes is a whole number, 1 or more, not 0.5")
    }).pipe(Effect.scoped, Effect.provide(RunStore.layerMemory))
  )
})
