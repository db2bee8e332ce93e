import { describe, expect, it } from "@effect/vitest"
import { errors } from "charlotte"
import { Cause, Data, Either, Option, Redacted, Schema } from "effect"
import { stringify, toJson } from "../../src/internal/Json.js"

class Tagged extends Data.TaggedError("Tagged")<{ readonly code: number; readonly inner?: unknown }> {}

class Sentence extends Schema.TaggedError<Sentence>()("Sentence", { code: Schema.Int }) {
  override get message() {
    return `it went wrong (${this.code})`
  }
}

const parseError = Either.flip(Schema.decodeUnknownEither(Schema.Struct({ name: Schema.String }))({ name: 1 })).pipe(
  Either.getOrThrow
)

const circular: Record<string, unknown> = { name: "a" }
circular["self"] = circular
circular["list"] = [circular, { again: circular }]

const request: { readonly url: string; error?: Error } = { url: "/" }
request.error = Object.assign(new Error("no answer"), { request })

const twice = { shared: 1 }

const throws = {
  get secret() {
    throw new Error("not for you")
  }
}

const values: ReadonlyArray<readonly [what: string, value: unknown, json: unknown]> = [
  ["plain JSON", { a: [1, "b", true, null, { c: [] }] }, { a: [1, "b", true, null, { c: [] }] }],
  ["undefined", undefined, null],
  ["what is undefined inside", { a: undefined, b: [undefined] }, { b: [null] }],
  ["a bigint", 12345678901234567890n, "12345678901234567890"],
  ["numbers that are none", [NaN, Infinity, -Infinity], ["NaN", "Infinity", "-Infinity"]],
  ["a symbol", Symbol("s"), "Symbol(s)"],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a map", new Map([["a", new Map([["b", 1n]])]]), [["a", [["b", "1"]]]]],
  ["a set", new Set([1, 2]), [1, 2]],
  ["an error", new TypeError("boom"), { name: "TypeError", message: "boom" }],
  [
    "the fields of an error",
    Object.assign(new Error("boom"), { code: "E" }),
    { name: "Error", message: "boom", code: "E" }
  ],
  [
    "errors inside errors, lists and maps",
    new Tagged({ code: 1, inner: [new Error("a"), new Map([["k", new Error("b")]])] }),
    {
      _tag: "Tagged",
      name: "Tagged",
      message: "",
      code: 1,
      inner: [{ name: "Error", message: "a" }, [["k", { name: "Error", message: "b" }]]]
    }
  ],
  [
    "a tagged error",
    new Sentence({ code: 7 }),
    { _tag: "Sentence", name: "Sentence", message: "it went wrong (7)", code: 7 }
  ],
  [
    "an error of the library",
    new errors.MaxJobsReached({ maxJobs: 2 }),
    { _tag: "MaxJobsReached", name: "MaxJobsReached", message: "max jobs (2) reached", maxJobs: 2, reason: "permits" }
  ],
  ["a parse error, without its schema", parseError, { name: "ParseError", message: parseError.message }],
  [
    "Effect's data",
    { some: Option.some(1), none: Option.none() },
    {
      some: { _id: "Option", _tag: "Some", value: 1 },
      none: { _id: "Option", _tag: "None" }
    }
  ],
  ["a cause", Cause.fail(new Error("a")), { _id: "Cause", _tag: "Fail", error: { name: "Error", message: "a" } }],
  ["what is redacted, as that", { key: Redacted.make("secret") }, { key: "<redacted>" }],
  ["circles, cut", circular, { name: "a", self: "[circular]", list: ["[circular]", { again: "[circular]" }] }],
  [
    "an error with a circular reference",
    request.error,
    { name: "Error", message: "no answer", request: { url: "/", error: "[circular]" } }
  ],
  ["the same twice, which is no circle", { a: twice, b: [twice, twice] }, { a: twice, b: [twice, twice] }],
  ["what has no JSON of its own", { toJSON: () => undefined }, null],
  ["a getter that throws", throws, "[object Object]"],
  [
    "an error whose field throws",
    Object.defineProperty(new Error("boom"), "x", {
      enumerable: true,
      get: () => {
        throw new Error("x")
      }
    }),
    "Error: boom"
  ],
  [
    "a revoked proxy",
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    })(),
    "a value that cannot be read"
  ],
  ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }]
]

describe("Json", () => {
  for (const [what, value, json] of values) {
    it(`keeps ${what}`, () => {
      expect(toJson(value)).toEqual(json)
    })
  }

  it.each([1_500, 100_000])("replaces what is nested deeper than the database accepts: %i levels", (levels) => {
    let deep: unknown = null
    for (let i = 0; i < levels; i++) deep = { deep }
    const json = stringify(deep)
    expect(json.split("{").length - 1).toBe(900)
    expect(json).toContain('"[too deep]"')
  })
})
