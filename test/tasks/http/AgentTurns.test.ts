import { describe, expect, it } from "@effect/vitest"
import { JobEvent, JobId } from "charlotte"
import { DateTime } from "effect"
import { ulid } from "ulid"
import * as AgentTurns from "../../../src/tasks/http/AgentTurns.js"

const start = DateTime.unsafeMake("2026-01-31T12:00:00Z")
const jobId = JobId.make(ulid(DateTime.toEpochMillis(start)))
const event = (type: string, more: Partial<JobEvent.JobEvent> = {}) =>
  new JobEvent.JobEvent({ jobId, seq: 1, cursor: 1, at: start, type, ...more })
const agent = { task: 1, payload: { agent: "claude" } }

describe("running turns of agents", () => {
  it.each(["job.interrupted", "job.parked", "job.cancelled", "unit.failed", "unit.waiting", "task.agent.ended"])(
    "end with %s",
    (over) => {
      const turns = AgentTurns.make()
      turns.record(event("job.resumed"))
      turns.record(event("task.agent.started", { ...agent, unit: "a" }))
      turns.record(event("task.agent.started", { ...agent, unit: "ab" }))
      expect(turns.of("claude")).toBe(2)
      turns.record(event(over, { unit: "a", task: 1 }))
      expect(turns.of("claude")).toBe(over.startsWith("job.") ? 0 : 1)
    }
  )

  it("of an earlier attempt are not counted after the job has resumed", () => {
    const turns = AgentTurns.make()
    turns.record(event("task.agent.started", { ...agent, unit: "a" }))
    turns.record(event("job.resumed"))
    expect(turns.of("claude")).toBe(0)
  })
})

describe("the refusal of an agent", () => {
  const turn = (turns: ReturnType<typeof AgentTurns.make>, name: string, reason?: string) => {
    turns.record(event("task.agent.started", { ...agent, unit: "a" }))
    turns.record(event("task.agent.ended", { unit: "a", task: 1, payload: { class: name, reason } }))
    return turns.refusal("claude")
  }

  it.each(["auth", "account"])(
    "is why its last turn of class %s was refused, until another shows that it is let in",
    (name) => {
      const turns = AgentTurns.make()
      expect(turns.refusal("claude")).toBe(undefined)
      expect(turn(turns, name, "Invalid API key")).toBe("Invalid API key")
      expect(turns.refusal("codex")).toBe(undefined)
      expect(turn(turns, "network", "no")).toBe("Invalid API key")
      expect(turn(turns, "failed", "no")).toBe(undefined)
    }
  )
})
