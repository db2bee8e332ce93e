import { describe, expect, it } from "@effect/vitest"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Effect, Either, FastCheck as fc } from "effect"
import * as frames from "../../../src/cluster/engine/frames.js"

const parser = Effect.map(RpcSerialization.RpcSerialization, ({ unsafeMake }) => unsafeMake()).pipe(
  Effect.provide(frames.layer(frames.maxAnswer))
)

const decode = (data: ReadonlyArray<string | Uint8Array>) =>
  Effect.map(parser, ({ decode }) => Either.try(() => data.flatMap((part) => decode(part))))

const messages = fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), { maxLength: 5 })

describe("frames", () => {
  it.effect("arrive as they were sent, however they are cut", () =>
    Effect.gen(function* () {
      const { encode } = yield* parser
      yield* Effect.promise(async () =>
        fc.assert(
          fc.property(messages, fc.integer({ min: 1, max: 7 }), (sent, size) => {
            const bytes = Buffer.concat(sent.map((message) => Buffer.from(encode(message) ?? "")))
            const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
              bytes.subarray(i * size, (i + 1) * size)
            )
            const received = Either.getOrThrow(Effect.runSync(decode(parts)))
            expect(JSON.stringify(received)).toBe(JSON.stringify(sent))
          })
        )
      )
    })
  )

  it.effect("come several at once", () =>
    Effect.gen(function* () {
      const { encode } = yield* parser
      expect(encode([{ a: 1 }, { b: 2 }])).toBe('{"a":1}\n{"b":2}\n')
    })
  )

  for (const [what, data] of [
    ["no JSON", ["x\n"]],
    ["no object", ["1\n"]],
    ["null", ["null\n"]],
    ["an array", ["[]\n"]],
    ["an empty line", ["\n"]],
    ["a frame that is too long", [`{"a":"${"x".repeat(300_000)}"}\n`]],
    ["one that does not end", Array.from({ length: 300 }, () => "x".repeat(1_000))]
  ] as const) {
    it.effect(`are refused, with their connection: ${what}`, () =>
      Effect.gen(function* () {
        const result = yield* decode(data)
        expect(Either.isLeft(result) && result.left).toMatchObject({ _tag: "RpcSerializationError" })
      })
    )
  }
})
