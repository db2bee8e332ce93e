import { describe, expect, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { DateTime, Schema } from "effect"
import * as FrameReader from "../../../src/http/client/FrameReader.js"
import * as Frames from "../../../src/http/server/sseFrames.js"
import { unknownId } from "../../support/jobs.js"

const event = (cursor: number, payload: unknown) =>
  new JobEvent.JobEvent({ jobId: unknownId, seq: cursor, cursor, at: DateTime.unsafeMake(0), type: "x", payload })

describe("an event as a frame", () => {
  it("stands on one line, whatever it holds, and can be read again", () => {
    const hostile = event(1, "a\n\ndata: forged\r\nid: 7\revent: shutdown\u2028\u2029\u0000")
    const data = Frames.makeEncoder()(hostile).toString("utf8")
    expect(data).toMatch(/^data: [^\r\n]*\n\n$/)
    const [frame] = FrameReader.make()(Buffer.from(`${Frames.position(1).toString("utf8")}${data}`))
    expect(frame).toMatchObject({ id: "1", event: "message" })
    expect(Schema.decodeSync(Schema.parseJson(JobEvent.JobEvent))(frame?.data ?? "")).toEqual(hostile)
  })

  it("is encoded once for all who read it", () => {
    const encode = Frames.makeEncoder()
    const one = event(1, "one")
    const first = encode(one)
    expect(encode(one)).toBe(first)
    // Another object that holds the same event, as another reader gets it.
    expect(encode(event(1, "one"))).toBe(first)
    expect(encode(event(2, "two"))).not.toBe(first)
  })

  it("is forgotten when there are many newer ones", () => {
    const encode = Frames.makeEncoder()
    const first = encode(event(1, "one"))
    const large = "x".repeat(1024 * 1024)
    for (const cursor of [2, 3, 4, 5]) encode(event(cursor, large))
    expect(encode(event(1, "one"))).not.toBe(first)
    expect(encode(event(5, large))).toBe(encode(event(5, large)))
  })
})

describe("a reader of frames", () => {
  it("takes them cut anywhere, also in the middle of a character", () => {
    const text = ": comment\nretry: 1000\n\nid: 1\ndata: ä\ndata:b\n\n\r\nevent: shutdown\r\ndata: {}\r\n\r\nid: 2\n"
    const bytes = Buffer.from(text)
    const whole = FrameReader.make()(bytes)
    expect(whole).toEqual([
      { id: "", event: "message", data: "" },
      { id: "1", event: "message", data: "ä\nb" },
      { id: "", event: "message", data: "" },
      { id: "", event: "shutdown", data: "{}" }
    ])
    for (let cut = 0; cut <= bytes.length; cut++) {
      const read = FrameReader.make()
      expect([...read(bytes.subarray(0, cut)), ...read(bytes.subarray(cut))]).toEqual(whole)
    }
  })
})
