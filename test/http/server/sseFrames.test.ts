import * as Sse from "@effect/experimental/Sse"
import { describe, expect, it } from "@effect/vitest"
import { JobEvent } from "charlotte"
import { DateTime, Schema } from "effect"
import * as sseFrames from "../../../src/http/server/sseFrames.js"
import { unknownId } from "../../support/jobs.js"

const event = (cursor: number, payload: unknown) =>
  new JobEvent.JobEvent({ jobId: unknownId, seq: cursor, cursor, at: DateTime.unsafeMake(0), type: "x", payload })

describe("SSE frame of an event", () => {
  it("is one line and round-trips any payload", () => {
    const hostile = event(1, "a\n\ndata: forged\r\nid: 7\revent: shutdown\u2028\u2029\u0000")
    const data = sseFrames.data(hostile).toString("utf8")
    expect(data).toMatch(/^data: [^\r\n]*\n\n$/)
    const frames: Array<Sse.AnyEvent> = []
    Sse.makeParser((frame) => frames.push(frame)).feed(`${sseFrames.position(1).toString("utf8")}${data}`)
    const [frame] = frames
    expect(frame).toMatchObject({ _tag: "Event", id: "1", event: "message" })
    const json = frame?._tag === "Event" ? frame.data : ""
    expect(Schema.decodeSync(Schema.parseJson(JobEvent.JobEvent))(json)).toEqual(hostile)
  })
})
