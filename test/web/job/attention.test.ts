import { describe, expect, it } from "@effect/vitest"
import type { Job } from "../../../src/web/api/models.js"
import { attention } from "../../../src/web/job/attention.js"
import { ofEvents } from "../../../src/progress/applyEvent.js"
import { at, attempt, events, plan, type Spec } from "./events.js"

const job = (fields: Partial<Job>): Job => ({
  id: "01KB3N5QZ4M6Y2V8T7R1S9W0XE",
  kind: "tasks",
  status: "running",
  attempt: 1,
  tries: undefined,
  config: {},
  labels: {},
  priority: 0,
  createdAt: at(0),
  startAt: undefined,
  waitsFor: undefined,
  parked: undefined,
  startedAt: at(0),
  endedAt: undefined,
  retryOf: undefined,
  retriedAs: undefined,
  handled: undefined,
  group: undefined,
  progress: undefined,
  pinned: undefined,
  refusedBy: undefined,
  refusedAt: undefined,
  result: undefined,
  error: undefined,
  phase: undefined,
  keys: undefined,
  parent: undefined,
  children: undefined,
  units: [],
  tasks: [],
  cost: undefined,
  retriesCost: undefined,
  landedAs: undefined,
  questions: undefined,
  steps: undefined,
  ...fields
})

const say = (fields: Partial<Job>, ...specs: ReadonlyArray<Spec>) =>
  attention(
    job(fields),
    ofEvents(events([0, "job.started", { attempt: 1 }], [0, "orch.started", plan({ api: [], web: [] })], ...specs)),
    at(60)
  )

describe("what is said of a job first", () => {
  it("names the tasks at work", () => {
    expect(say({}, ...attempt(1, 1, "api", true).slice(0, 4), ...attempt(2, 2, "web", true).slice(0, 2))).toEqual([
      { tone: "run", text: "2 tasks at work: api 1 “Do api”, at its gate; web 1 “Do web” (attempt 2)" }
    ])
  })

  it("has what has failed first, with the reason and where to look", () => {
    const failed: ReadonlyArray<Spec> = [
      ...attempt(1, 1, "api", false),
      [9, "task.retry", { attempt: 1, reason: "gate", pause: 0 }, "api", 1],
      ...attempt(10, 2, "api", false),
      [19, "task.failed", { attempts: 2, reason: "the gate exited with 1" }, "api", 1],
      [20, "unit.failed", { reason: "task 1 failed", task: 1 }, "api"]
    ]
    const failure = {
      tone: "bad",
      text: "api 1 “Do api” failed after 2 attempts",
      reason: "the gate exited with 1",
      unit: "api",
      task: 1
    }
    expect(say({}, ...failed, ...attempt(2, 1, "web", true).slice(0, 2))).toEqual([
      failure,
      { tone: "run", text: "1 task at work: web 1 “Do web”" }
    ])
    expect(say({ status: "failed" }, ...failed)).toEqual([{ ...failure, action: "retry" }])
  })

  it("says what has landed of a job that failed, or why nothing could", () => {
    const error = { _tag: "TasksFailed", message: "unit b failed", target: "main", landed: ["a", "c"] }
    const messages = say({ status: "failed", error: { kind: "failure", error, cause: "" } })
    expect(messages.at(-1)).toEqual({ tone: "good", text: "Landed on main: a, c" })
    const blocked = { ...error, landed: undefined, notLanded: { reason: "the gate failed" } }
    expect(say({ status: "failed", error: { kind: "failure", error: blocked, cause: "" } }).at(-1)).toEqual({
      tone: "bad",
      text: "What is done could not land on main",
      reason: "the gate failed"
    })
  })

  it("says until when a parked job waits, and what can be done about it", () => {
    const reason = "claude is at its usage limit"
    expect(
      say({
        status: "parked",
        parked: {
          reason,
          until: at(7_260),
          tentative: undefined,
          signal: undefined,
          approval: undefined,
          questions: undefined,
          decisions: undefined,
          children: undefined,
          limits: undefined,
          retry: undefined
        },
        waitsFor: "time"
      })[0]
    ).toMatchObject({
      tone: "warn",
      text: expect.stringMatching(/^Parked until .*\d\d:\d\d, in 2 h$/),
      reason,
      action: "resume"
    })
    const signal = (signal: string) =>
      say({
        status: "parked",
        parked: {
          reason,
          until: undefined,
          tentative: undefined,
          signal,
          approval: undefined,
          questions: undefined,
          decisions: undefined,
          children: undefined,
          limits: undefined,
          retry: undefined
        },
        waitsFor: "signal"
      })
    expect(signal("charlotte.resume")).toEqual([
      { tone: "warn", text: "Parked until it is resumed", reason, action: "resume" }
    ])
    expect(signal("charlotte.approval")).toEqual([
      { tone: "warn", text: "Waits for approval", reason, action: "approve" }
    ])
    expect(signal("approve")).toMatchObject([{ text: "Parked for the signal approve", action: "signal" }])
    expect(
      say({
        status: "parked",
        parked: {
          reason,
          until: at(1),
          tentative: undefined,
          signal: undefined,
          approval: undefined,
          questions: undefined,
          decisions: undefined,
          children: undefined,
          limits: undefined,
          retry: undefined
        },
        waitsFor: "permit"
      })
    ).toMatchObject([{ tone: "idle", text: "Due, and waits for a permit" }])
  })

  it("says how long units wait for their agents while others are at work, and whether that is only a guess", () => {
    const wait = (unit: string, reason: string, seconds: number, tentative?: true): Spec => [
      10,
      "unit.waiting",
      { reason, until: new Date(at(seconds)).toISOString(), tentative },
      unit
    ]
    expect(
      say({}, ...attempt(1, 1, "web", true).slice(0, 3), wait("web", "claude is at its limit", 7_260, true))
    ).toEqual([
      {
        tone: "warn",
        text: expect.stringMatching(/^web waits until it is tried again (at \d\d:\d\d|.* \d\d:\d\d), in 2 h$/),
        reason: "claude is at its limit"
      }
    ])
    expect(say({}, wait("web", "limit", 1_260), wait("api", "limit", 1_260))[0]?.text).toMatch(
      /^api, web wait until .*\d\d:\d\d, in 20 min$/
    )
  })

  it("has what agents ask first, also while the job is parked for the answers", () => {
    const asks: Spec = [9, "unit.asked", { task: 1, question: "Which port?" }, "api"]
    const question = { tone: "warn", text: "api needs an answer", reason: "Which port?", unit: "api", action: "answer" }
    expect(say({}, asks, ...attempt(10, 1, "web", true).slice(0, 2))[0]).toEqual(question)
    const parked = {
      reason: "api asks: Which port?",
      until: undefined,
      tentative: undefined,
      signal: "charlotte.resume",
      questions: 1,
      decisions: undefined,
      children: undefined,
      limits: undefined
    }
    expect(
      say(
        { status: "parked", parked: { ...parked, approval: undefined, retry: undefined }, waitsFor: "signal" },
        asks,
        [10, "job.parked", parked]
      )
    ).toEqual([question, { tone: "idle", text: "Parked for an answer" }])
  })

  it("proposes no resume of a workflow that waits for a decision", () => {
    const parked = {
      reason: "awaits packed",
      until: undefined,
      tentative: undefined,
      signal: "charlotte.resume",
      questions: undefined,
      decisions: 1,
      children: undefined,
      limits: undefined,
      approval: undefined,
      retry: undefined
    }
    expect(say({ kind: "workflow.Order", status: "parked", parked, waitsFor: "signal" })).toEqual([
      { tone: "idle", text: "Parked for a decision", reason: "awaits packed" }
    ])
  })

  it("has what agents ask first, also while the job is interrupted, or waits to begin", () => {
    const asks: Spec = [9, "unit.asked", { task: 1, question: "Which port?" }, "api"]
    const question = { tone: "warn", text: "api needs an answer", reason: "Which port?", unit: "api", action: "answer" }
    expect(say({ status: "interrupted" }, asks, [10, "job.interrupted", {}])).toEqual([
      question,
      { tone: "warn", text: "Interrupted, and not continued yet", action: "resume" }
    ])
    expect(say({ status: "pending", waitsFor: "permit" }, asks, [10, "job.queued", {}])).toEqual([
      question,
      { tone: "idle", text: "Queued: waits for a permit" }
    ])
  })

  it("says what a pending job waits for", () => {
    expect(say({ status: "pending", waitsFor: "permit" })[0]?.text).toBe("Queued: waits for a permit")
    const key = { key: "main", origin: "check", holder: "OTHER", holderStatus: "running" } as const
    expect(say({ status: "pending", waitsFor: "key", keys: [key] })[0]).toMatchObject({
      text: "Queued behind job OTHER",
      reason: "main"
    })
    for (const repository of ["65024:11543097", "9f86d081884c7d659a2feaa0c55ad015"]) {
      const branch = { ...key, key: `branch main of repository ${repository}` }
      expect(say({ status: "pending", waitsFor: "key", keys: [branch] })[0]?.reason).toBe("branch main")
    }
    expect(say({ status: "pending", waitsFor: "time", startAt: at(120) })[0]?.text).toMatch(
      /^Queued: waits until .*, in 1 min$/
    )
  })

  it("says that agents wait, are slow, or that the job waits for a person", () => {
    expect(say({}, [1, "unit.waiting", { reason: "not logged in" }, "api"])).toEqual([
      { tone: "warn", text: "api waits", reason: "not logged in" }
    ])
    expect(
      say({}, ...attempt(1, 1, "api", true).slice(0, 2), [2, "task.agent.slow", { reason: "no output" }, "api", 1])[0]
    ).toMatchObject({ tone: "warn", unit: "api", task: 1 })
    expect(say({}, [1, "orch.waiting", { reason: "core.hooksPath was changed" }])[0]).toEqual({
      tone: "warn",
      text: "Waiting for a person",
      reason: "core.hooksPath was changed"
    })
  })

  it("has notes before the end, and why a task is tried again while it pauses", () => {
    const done = say(
      { status: "completed" },
      [1, "task.noted", { note: "the agent moved main" }, "api", 1],
      [2, "orch.landed", { target: "main", commit: "x" }]
    )
    expect(done).toEqual([
      { tone: "warn", text: "api 1", reason: "the agent moved main", unit: "api", task: 1 },
      { tone: "good", text: "All work is done, and landed on main" }
    ])
    const pausing = (pause: number) =>
      say(
        {},
        ...attempt(1, 1, "api", true).slice(0, 2),
        [
          3,
          "task.agent.ended",
          { class: "network", reason: "Overloaded", log: { file: "/l", from: 0, to: 1 } },
          "api",
          1
        ],
        [3, "task.retry", { class: "network", attempt: 1, reason: "Overloaded", pause }, "api", 1]
      )
    expect(pausing(20_000)).toEqual([
      { tone: "warn", text: "api 1 “Do api” is tried again soon", reason: "Overloaded", unit: "api", task: 1 }
    ])
    expect(pausing(90_000)[0]?.text).toBe("api 1 “Do api” is tried again in 33 s")
  })

  it("says what the agent said last beside a failed gate", () => {
    const failed = say(
      { status: "failed" },
      ...attempt(1, 1, "api", true).slice(0, 2),
      [2, "task.agent.ended", { said: "All tests pass.", log: { file: "/l", from: 0, to: 1 } }, "api", 1],
      [3, "task.failed", { attempts: 1, reason: "the gate exited with code 1: 1 failed" }, "api", 1],
      [3, "unit.failed", { reason: "task 1 failed", task: 1 }, "api"]
    )
    expect(failed[0]).toMatchObject({ reason: "the gate exited with code 1: 1 failed", said: "All tests pass." })
  })

  it("says how it ended", () => {
    expect(say({ status: "completed" }, [1, "orch.landed", { target: "main", commit: "x" }])).toEqual([
      { tone: "good", text: "All work is done, and landed on main" }
    ])
    const done = (result: object) => say({ status: "completed", result: { target: "main", ...result } })[0]?.text
    expect([done({ landed: "x" }), done({})]).toEqual(["All work is done, and landed on main", "All work is done"])
    const url = "https://github.com/acme/app/pull/7"
    const proposed = (result: object) => say({ status: "completed", result: { pullRequest: result } })[1]
    expect(proposed({ isOpen: true, url })).toEqual({
      tone: "good",
      text: "Proposed as a pull request",
      reason: url,
      link: url
    })
    expect(proposed({ isOpen: false, url: "javascript:alert(1)" })).not.toHaveProperty("link")
    const since = { base: undefined, commit: undefined, reason: undefined, startedAt: undefined, endedAt: undefined }
    const merged = { unit: "api", position: 0, dependsOn: [], state: "merged", ...since } as const
    expect(say({ status: "failed", units: [merged] }).at(-1)).toMatchObject({
      text: expect.stringMatching(/^What is done is on charlotte\/\w+\/result, and has not landed$/),
      action: "land"
    })
    expect(say({ status: "cancelled" })).toEqual([
      { tone: "idle", text: "Cancelled", reason: undefined, action: "retry" }
    ])
    const error = { kind: "failure", error: { _tag: "LandingBlocked", message: "main was moved" }, cause: "" } as const
    expect(say({ status: "failed", error })).toEqual([
      { tone: "bad", text: "Failed", reason: "main was moved", action: "retry" }
    ])
    // Its key is taken: it is executed again with another one.
    expect(say({ kind: "workflow.Order", status: "failed", error })).toEqual([
      { tone: "bad", text: "Failed", reason: "main was moved" }
    ])
    const refused = { refusedBy: { "5d41": "invalid job configuration: template: is missing" }, refusedAt: at(0) }
    expect(say({ status: "pending", waitsFor: "permit", ...refused })[0]).toEqual({
      tone: "warn",
      text: expect.stringMatching(
        /^The job cannot be decoded by nodes of version 5d41 \(since .*\): a node of another version begins it, or it fails at /
      ),
      reason: "invalid job configuration: template: is missing"
    })
    expect(say({ phase: "stopping" })[0]).toMatchObject({ tone: "warn" })
    expect(say({ status: "interrupted" })[0]).toMatchObject({ action: "resume" })
  })
})
