import { describe, expect, it } from "@effect/vitest"
import { payloads } from "../../src/tasks/events.js"
import { lifecycle } from "../../src/domain/JobEvent.js"
import { eventText } from "../../src/progress/eventText.js"

const text = (type: string, payload?: unknown) => eventText({ seq: 1, at: 0, type, payload })

describe("the text of an event", () => {
  it("says in words what happened", () => {
    expect(text("task.gate.failed", { reason: "exited with 1" })).toEqual({
      text: "gate failed: exited with 1",
      tone: "bad"
    })
    expect(text("task.retry", { reason: "the agent was killed", pause: 2000 })).toEqual({
      text: "retry in 2 s: the agent was killed",
      tone: "warn"
    })
    expect(text("job.failed", { error: { kind: "failure", error: { _tag: "X", message: "no" } } }).text).toBe(
      "failed: no"
    )
    expect(text("orch.killed", { total: 1 }).text).toBe("killed 1 process")
    expect(text("orch.killed", { total: 2 }).text).toBe("killed 2 processes")
  })

  it.each([...Object.keys(payloads), ...Object.keys(lifecycle), "job.signalled"])("has words for %s", (type) => {
    expect(text(type, {}).text).not.toBe("{}")
  })

  it("shows the payload of a foreign event as JSON, cut", () => {
    expect(text("counted", { n: 3 })).toEqual({ text: '{"n":3}', tone: "plain" })
    expect(text("counted", "x".repeat(1000)).text).toHaveLength(300)
    expect(text("ping").text).toBe("")
  })

  it("says which retry a job waits for, and why", () => {
    const error = { kind: "failure", error: { _tag: "Refused", message: "connection refused" } }
    const until = "1970-01-01T00:00:00.000Z"
    expect(text("job.parked", { reason: "retry 2 of 5", until, retry: { n: 2, of: 5, error } }).text).toContain(
      "retry 2 of 5: connection refused"
    )
    expect(
      text("job.parked", { reason: "no answer", until: "2999-01-01T00:00:00.000Z", tentative: true }).text
    ).toMatch(/^parked until it is tried again .*: no answer$/)
    expect(text("unit.waiting", { reason: "no answer", until, tentative: true }).text).toMatch(
      /^waiting: no answer; until it is tried again /
    )
    expect(text("job.timeout", { limit: 600_000 }).text).toBe("time limit of 10 min exceeded")
  })

  it("names the units that have landed, and those that are left", () => {
    const landed = { target: "main", commit: "1a2b3c4d5e6f", units: ["a", "c"], left: ["b"] }
    expect(text("orch.landed", landed).text).toBe("landed a, c on main, commit 1a2b3c4d; left: b")
    expect(text("orch.landed", { target: "main", commit: "1a2b3c4d5e6f" }).text).toBe("landed on main, commit 1a2b3c4d")
  })

  it("says who has approved or rejected the result, and why", () => {
    const decided = (payload: object) => text("job.signalled", { name: "charlotte.approval", by: "ann", payload })
    const commit = "1a2b3c4d5e6f"
    expect(decided({ commit })).toEqual({ text: "approved by ann, commit 1a2b3c4d", tone: "good" })
    expect(decided({ commit, because: "no\nway", unit: "api" })).toEqual({
      text: "api rejected by ann: no way",
      tone: "warn"
    })
    expect(text("job.signalled", { name: "charlotte.approval", payload: { commit, because: "no" } }).text).toBe(
      "rejected: no"
    )
    const parked = { reason: "approve it", signal: "charlotte.approval", approval: { commit, base: commit } }
    expect(text("job.parked", parked).text).toBe("parked for approval: approve it")
  })

  it("says how a request came in, unless it is a call in the process or the name says it already", () => {
    expect(text("job.stopping", { by: "ann", via: "socket" }).text).toBe("stop requested by ann (socket)")
    expect(text("job.stopping", { by: "ann", via: "library" }).text).toBe("stop requested by ann")
    expect(text("job.stopping", { by: "page", via: "page" }).text).toBe("stop requested by page")
    expect(text("job.cancelled", { via: "fax" }).text).toBe("cancelled (fax)")
    expect(text("job.resumed", { attempt: 2, by: "resume", sender: "ann", via: "port" }).text).toBe(
      "resumed by ann (port) (attempt 2)"
    )
    expect(text("job.signalled", { name: "go", by: "ann", via: "port" }).text).toBe("signal go from ann (port)")
    expect(text("job.queued", { waitsFor: "permit", retryOf: "1", by: "ann", via: "port" }).text).toBe(
      "queued to retry 1, from ann (port): waits for a permit"
    )
  })

  it("names the pull request, or where to open one", () => {
    const where = { target: "main", branch: "charlotte/1/result", remote: "origin" }
    const url = "https://github.com/acme/app/pull/7"
    expect(text("orch.proposed", { ...where, isOpen: true, url }).text).toBe(`pull request for main: ${url}`)
    expect(text("orch.proposed", { ...where, isOpen: false, url, problem: "gh pr list exited with code 4" }).text).toBe(
      `pushed charlotte/1/result to origin; open a pull request at ${url} (gh pr list exited with code 4)`
    )
  })

  it("shows what a later version has recorded as it stands", () => {
    expect(text("job.queued", { waitsFor: "weather" }).text).toBe("queued: waits for weather")
    expect(text("job.postponed", { by: "ann" }).text).toBe('{"by":"ann"}')
  })
})
