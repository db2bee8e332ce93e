/** Configurations, and whether they are the same once they were recorded and read back. */
import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Effect, Option, Schema } from "effect"

/** What a manager with that schema answers to a start, and what the store holds then. */
const start = <C, I>(schema: Schema.Schema<C, I>, config: I) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.make({
      kind: "any",
      config: schema,
      orchestrator: { run: () => Effect.never }
    })
    const started = yield* Effect.either(manager.start(config))
    const runs = yield* Effect.flatMap(RunStore.RunStore, ({ list }) => list())
    return { started, runs }
  }).pipe(Effect.scoped, Effect.provide(RunStore.layerMemory))

const at = new Date("2026-01-02T03:04:05.006Z")

/** It loses what comes after the point. */
const Lossy = Schema.transform(Schema.Number, Schema.Number, {
  strict: true,
  decode: (n) => n + 0.5,
  encode: (n) => Math.trunc(n + 1)
})

/** It is encoded as the same number whatever it was, which decodes. */
const Constant = Schema.transform(Schema.Number, Schema.Number, { strict: true, decode: (n) => n, encode: () => 0 })

/** What it encodes does not decode. */
const OneWay = Schema.transform(Schema.String, Schema.String.pipe(Schema.minLength(1)), {
  strict: true,
  decode: (text) => text,
  encode: () => ""
})

class Point extends Schema.Class<Point>("Point")({ x: Schema.Number, at: Schema.Date }) {}

describe("a configuration that cannot be read back", () => {
  const { Array: list, Struct, Unknown } = Schema
  const refused: Record<string, readonly [path: ReadonlyArray<string | number>, of: ReturnType<typeof start>]> = {
    Infinity: [["size"], start(Struct({ name: Schema.String, size: Schema.Number }), { name: "a", size: Infinity })],
    NaN: [["sizes", 1], start(Struct({ sizes: list(Schema.Number) }), { sizes: [1, NaN, NaN] })],
    "a Date": [["at"], start(Struct({ at: Schema.DateFromSelf }), { at })],
    "undefined in an array": [[1], start(list(Schema.UndefinedOr(Schema.Number)), [1, undefined])],
    "a bigint": [["big"], start(Struct({ big: Schema.BigIntFromSelf }), { big: 1n })],
    "a Date in what is unknown": [["deep", "at"], start(Struct({ deep: Unknown }), { deep: { at } })],
    "a map in what is unknown": [["map"], start(Struct({ map: Unknown }), { map: new Map([[1, 2]]) })],
    "what a lossy transformation changes": [["n"], start(Struct({ n: Lossy }), { n: 1 })],
    "what is encoded as a constant": [
      ["deep", 1, "n"],
      start(Struct({ deep: list(Struct({ n: Constant })) }), { deep: [{ n: 0 }, { n: 1 }] })
    ],
    "what its own schema cannot decode again": [
      ["deep", "text"],
      start(Struct({ a: Schema.Number, deep: Struct({ text: OneWay }) }), { a: 1, deep: { text: "a" } })
    ]
  }
  for (const [what, [path, started]] of Object.entries(refused)) {
    it.effect(`is refused at start with the first path, and nothing is written: ${what}`, () =>
      Effect.gen(function* () {
        const { runs, started: answer } = yield* started
        const error = Option.getOrUndefined(Effect.runSync(Effect.option(Effect.flip(answer))))
        expect(error?._tag).toBe("InvalidJobConfig")
        expect(error?._tag === "InvalidJobConfig" && error.issues.map((issue) => issue.path)).toEqual([path])
        expect(runs).toEqual([])
      })
    )
  }
})

describe("a configuration that can be read back", () => {
  const { Array: list, Struct, Unknown } = Schema
  const Defaults = Struct({
    a: Schema.optional(Schema.Number),
    b: Schema.optionalWith(Schema.Number, { default: () => 7 }),
    c: Schema.optionalWith(Schema.String, { as: "Option" })
  })
  const accepted: Record<string, ReturnType<typeof start>> = {
    "of what is unknown": start(Struct({ any: Unknown }), { any: { list: [1, "a", null, { b: true }] } }),
    "with a Date as text": start(Struct({ at: Schema.Date }), { at: at.toISOString() }),
    "with fields left out": start(Defaults, {}),
    "with a field that is undefined": start(Defaults, { a: undefined }),
    "with all optional fields": start(Defaults, { a: 1, b: 2, c: "3" }),
    "without fields": start(Struct({}), {}),
    "of a class": start(Point, { x: 1, at: at.toISOString() }),
    "with classes in it": start(Struct({ points: list(Point) }), { points: [{ x: 1, at: at.toISOString() }] }),
    "with a bigint as text": start(Struct({ big: Schema.BigInt }), { big: "1" }),
    "with a map as a list": start(Struct({ map: Schema.ReadonlyMap({ key: Schema.String, value: Schema.Number }) }), {
      map: [["a", 1]]
    }),
    "with a set as a list": start(Schema.ReadonlySet(Schema.Number), [1, 2]),
    "that is a number": start(Schema.Number, -0.5)
  }
  for (const [what, started] of Object.entries(accepted)) {
    it.effect(`is accepted: ${what}`, () =>
      Effect.gen(function* () {
        const { runs, started: answer } = yield* started
        expect(answer._tag).toBe("Right")
        expect(runs).toHaveLength(1)
      })
    )
  }
})
