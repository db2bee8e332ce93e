import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Address from "../../../src/cluster/engine/Address.js"

describe("the address of a node", () => {
  it.effect("is a host and a port", () =>
    Effect.gen(function* () {
      expect(yield* Address.parse("db-1.local:7450")).toEqual({
        text: "db-1.local:7450",
        host: "db-1.local",
        port: 7_450
      })
      expect(yield* Address.parse("[fd00::5]:1")).toEqual({ text: "[fd00::5]:1", host: "fd00::5", port: 1 })
    })
  )

  for (const text of [
    "",
    "host",
    "host:",
    ":7450",
    "host:0",
    "host:65536",
    "host:x",
    "::1:7450",
    "[::1]",
    "a b:1",
    "http://a:1"
  ]) {
    it.effect(`is not ${JSON.stringify(text)}`, () =>
      Effect.gen(function* () {
        const refusal = yield* Effect.flip(Address.parse(text))
        expect(refusal.message).toContain("expected HOST:PORT")
      })
    )
  }

  for (const text of ["0.0.0.0:7450", "0:7450", "[::]:7450", "[0:0::0]:7450", "[::ffff:0.0.0.0]:7450"]) {
    it.live(`that listens on every interface is refused, unless it is asked for: ${text}`, () =>
      Effect.gen(function* () {
        const refusal = yield* Effect.flip(Address.bindable(text, false))
        expect(refusal.message).toContain("listens on every interface")
        expect(yield* Address.bindable(text, true)).toMatchObject({ text, port: 7_450 })
        expect((yield* Effect.flip(Address.reachable(text))).message).toContain("cannot connect to it")
      })
    )
  }

  it.live("is resolved before it is bound", () =>
    Effect.gen(function* () {
      expect((yield* Address.bindable("localhost:7450", false)).host).toMatch(/^(127\.0\.0\.1|::1)$/)
      expect((yield* Effect.flip(Address.bindable("no-such-host.invalid:7450", false))).message).toContain(
        "cannot be resolved"
      )
    })
  )
})
