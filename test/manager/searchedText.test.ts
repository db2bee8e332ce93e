/**
 * Secrets of a configuration are not searched.
 */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, Runs, RunStore } from "charlotte"
import { Effect, Layer, Redacted, Schema } from "effect"
import { searchedText } from "../../src/manager/internal/searchedText.js"

describe("searchedText", () => {
  it("is none without a Redacted value", () => {
    expect(searchedText({ a: ["x", { b: 1 }] }, { labels: {}, config: { a: "x" } })).toBeUndefined()
  })

  it("leaves out what is Redacted, wherever it is", () => {
    const config = { key: Redacted.make("sesame"), deep: [{ pin: Redacted.make({ of: [4711] }) }] }
    const encoded = { key: "sesame", deep: [{ pin: { of: [4711] } }], user: "ann" }
    const text = searchedText(config, { labels: { by: "ann" }, config: encoded })
    expect(JSON.parse(text ?? "")).toEqual({
      labels: { by: "ann" },
      config: { key: "", deep: [{ pin: { of: [""] } }], user: "ann" }
    })
  })

  it("leaves long secrets out of longer texts, and short ones only where they are all", () => {
    const config = { long: Redacted.make("open-sesame"), short: Redacted.make("a") }
    const encoded = { url: "https://x:open-sesame@example.org/a", long: "open-sesame", short: "a" }
    const text = searchedText(config, { labels: {}, config: encoded })
    expect(JSON.parse(text ?? "")).toEqual({
      labels: {},
      config: { url: "https://x: @example.org/a", long: "", short: "" }
    })
  })

  it("ends for a configuration that refers to itself", () => {
    const config: { self?: unknown } = {}
    config.self = config
    expect(searchedText(config, { labels: {}, config: {} })).toBeUndefined()
  })
})

class Call extends JobKind.Tag<Call>()("call", {
  config: Schema.Struct({ url: Schema.String, key: Schema.Redacted(Schema.String) })
}) {}

const seen: Array<string> = []

const layer = Call.layer({ run: ({ config }) => Effect.sync(() => void seen.push(Redacted.value(config.key))) }).pipe(
  Layer.provideMerge(RunStore.layerMemory)
)

describe("a kind with a Redacted field", () => {
  it.scoped("gives it to the job, and it is not searched", () =>
    Effect.gen(function* () {
      const calls = yield* Call
      const runs = yield* Runs.Runs
      const id = yield* calls.start({ url: "https://example.org", key: "sesame" })
      yield* calls.await(id)
      expect(seen).toEqual(["sesame"])
      expect(yield* runs.list({ q: "example" })).toMatchObject([{ id, config: { key: "sesame" } }])
      expect(yield* runs.list({ q: "sesame" })).toEqual([])
    }).pipe(Effect.provide(layer))
  )
})
