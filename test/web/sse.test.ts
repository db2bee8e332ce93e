import { describe, expect, it } from "vitest"
import { makeParser } from "../../src/web/events/sse.js"

const stream =
  ': charlotte\nretry: 1000\n\nid: 7\n\nid: 8\ndata: {"a":1}\n\n: still here\n\nid: 9\r\ndata: one\r\ndata: two\r\n\r\nevent: shutdown\ndata: {}\n\n'

const frames = [
  { id: "8", event: "", data: '{"a":1}' },
  { id: "9", event: "", data: "one\ntwo" },
  { id: "9", event: "shutdown", data: "{}" }
]

describe("the parser of server-sent events", () => {
  it("gives the same frames wherever the stream is cut", () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const parse = makeParser()
      expect([...parse(stream.slice(0, cut)), ...parse(stream.slice(cut))]).toEqual(frames)
    }
  })

  it("keeps a frame back until its blank line has come", () => {
    const parse = makeParser()
    expect(parse("id: 1\ndata: x\n")).toEqual([])
    expect(parse("\n")).toEqual([{ id: "1", event: "", data: "x" }])
  })
})
