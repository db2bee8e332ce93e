/** The labels that a kind gives to its jobs, where a type checker has not seen what gives them. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Effect, Schema } from "effect"

const long = "x".repeat(1_024)

const refused: ReadonlyArray<readonly [what: string, labels: unknown, path: ReadonlyArray<string>, message: string]> = [
  ["a number", { tenant: 5 }, ["labels", "tenant"], "must be a text"],
  ["undefined", { tenant: undefined }, ["labels", "tenant"], "must be a text"],
  ["a text with NUL", { tenant: "a\0b" }, ["labels", "tenant"], "must not contain NUL or a lone surrogate"],
  ["longer than 1,024 bytes with its name", { t: long }, ["labels", "t"], "must have at most 1024 bytes"],
  ["one of 65", Object.fromEntries(Array.from({ length: 65 }, (_, n) => [n, ""])), ["labels"], "must have at most 64"],
  ["not in an object", null, ["labels"], "must be an object"]
]

describe("a label", () => {
  for (const [what, labels, path, message] of refused) {
    it.scoped(`that is ${what} refuses the start, which writes nothing`, () =>
      Effect.gen(function* () {
        const { list } = yield* RunStore.RunStore
        const manager = yield* JobManager.make({
          kind: "labelled",
          config: Schema.parseJson(Schema.Any),
          orchestrator: { run: () => Effect.never },
          labels: (config) => config ?? labels
        })
        for (const options of [undefined, { delay: "1 day" }] as const) {
          const error = yield* Effect.flip(manager.start("null", options))
          expect(error).toMatchObject({ _tag: "InvalidJobConfig", issues: [{ path }] })
          expect(error.message).toContain(message)
        }
        expect(yield* list()).toEqual([])
        expect(yield* manager.activeCount).toBe(0)
        const id = yield* manager.start('{ "tenant": "5" }')
        expect(yield* list()).toMatchObject([{ id, labels: { tenant: "5" } }])
      }).pipe(Effect.provide(RunStore.layerMemory))
    )
  }
})
