import { describe, expect, it } from "@effect/vitest"
import { DateTime } from "effect"
import { payloads } from "../../src/domain/events.js"
import { createdEvent } from "../../src/store/rules/RunTransition.js"
import { make } from "../../src/tasks/run/emitTaskEvent.js"
import * as checkedEmit from "../support/checkedEvents/emitTaskEvent.js"
import * as checked from "../support/checkedEvents/RunTransition.js"
import { problem } from "../support/checkedEvents/check.js"

describe("events that the tests write", () => {
  it("are made by modules that check them against the schema of their type", () => {
    expect(createdEvent).toBe(checked.createdEvent)
    expect(make).toBe(checkedEmit.make)
  })

  it("have no field that their schema does not have, and none of another type", () => {
    const { payload, type } = createdEvent({ at: DateTime.unsafeMake(0), priority: 1 }, { waitsFor: "permit" })
    expect(problem(payloads, type, payload)).toBeUndefined()
    expect(problem(payloads, "job.started", '{"attempt":1,"by":"ann"}')).toContain('["by"]')
    expect(problem(payloads, "job.started", '{"attempt":"1"}')).toContain('["attempt"]')
    expect(problem(payloads, "job.started", undefined)).toContain('["attempt"]')
    expect(problem(payloads, "job.paused", undefined)).toBe("no schema for events of type job.paused")
  })
})
