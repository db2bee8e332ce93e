import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { decode, encode, lines, type Message } from "../../../src/cluster/guard/protocol.js"

const cookie = FastCheck.uuid()
const whole = FastCheck.nat()

const message: FastCheck.Arbitrary<Message> = FastCheck.oneof(
  whole.map((tenths): Message => ({ type: "beat", uptime: tenths / 10 })),
  cookie.map((cookie): Message => ({ type: "watch", cookie })),
  cookie.map((cookie): Message => ({ type: "release", cookie })),
  FastCheck.tuple(cookie, whole, whole).map(([cookie, pid, startTime]): Message => ({
    type: "spawned",
    cookie,
    pid,
    startTime
  }))
)

const numbered = FastCheck.record({ number: whole, message })

describe("what a node says to its guard", () => {
  it("arrives as it was sent, in whatever pieces", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(numbered), FastCheck.integer({ min: 1, max: 50 }), (sent, size) => {
        const text = sent.map(encode).join("")
        const received: Array<unknown> = []
        const receive = lines((line) => received.push(decode(line)))
        for (let i = 0; i < text.length; i += size) receive(text.slice(i, i + size))
        expect(received).toEqual(sent)
      })
    )
  })

  it("is no message when it is anything else", () => {
    const others = [
      "",
      "1",
      "beat 1",
      "1 beat NaN",
      "1 beat -1",
      "1 watch",
      "1 watch a b",
      "1 spawned a 1",
      "1 spawned a 1 -",
      "x watch a"
    ]
    for (const line of others) expect({ line, is: decode(line) }).toEqual({ line, is: undefined })
    FastCheck.assert(FastCheck.property(FastCheck.string(), (line) => decode(line) === undefined))
  })
})
